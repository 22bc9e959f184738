// The question whether a tool may run. What the model wrote is put into the page as text, never as HTML.

const HELLO_MS = 150;
const HELLOS = 400;
/** The second click of a double click must not answer the question that follows. */
const DISABLED_MS = 500;
const ANSWERS = [
  ["yes", "Yes, run it"],
  ["no", "No"],
  ["always", "Always in this session"],
];

/** Say hello until the question comes: words reach a kernel that runs a cell only by a subshell, which
 * the page may still be making. */
function initialize({ model }) {
  let left = HELLOS;
  let timer;
  function hello() {
    if (model.get("name") || left-- === 0) return;
    model.send({ action: "hello" });
    timer = setTimeout(hello, HELLO_MS);
  }
  hello();
  return () => clearTimeout(timer);
}

function render({ model, el }) {
  const box = document.createElement("div");
  const title = document.createElement("div");
  const name = document.createElement("b");
  const shownArguments = document.createElement("pre");
  const buttons = document.createElement("div");
  box.className = "allos-question";
  box.setAttribute("role", "group");
  buttons.className = "allos-question-buttons";
  // JupyterLab's keys (y, Enter, Esc ...) are not for the cell while a button has the focus.
  box.dataset.lmSuppressShortcuts = "true";
  title.append("The model wants to run ", name);
  box.append(title, shownArguments, buttons);

  for (const [answer, words] of ANSWERS) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = words;
    button.disabled = true;
    button.addEventListener("click", () => {
      for (const other of buttons.children) other.disabled = true;
      model.send({ action: "answer", answer });
    });
    buttons.append(button);
  }
  const enabling = setTimeout(() => {
    for (const button of buttons.children) button.disabled = false;
  }, DISABLED_MS);

  function draw() {
    name.textContent = model.get("name");
    shownArguments.textContent = model.get("arguments");
    shownArguments.hidden = !model.get("arguments");
    box.setAttribute("aria-label", `The model wants to run ${model.get("name")}. Run it?`);
  }
  draw();
  model.on("change:name change:arguments", draw);
  el.append(box);
  return () => {
    clearTimeout(enabling);
    model.off("change:name change:arguments", draw);
  };
}

export default { initialize, render };
