// Puts the picture of a chart into the page and lets its marks be selected: by a click, by the keyboard, or
// with a box drawn around them. What the marks say is set as text.

const MIN_BOX_PX = 5;

function render({ model, el }) {
  el.classList.add("allos-chart");
  const parsed = new DOMParser().parseFromString(model.get("svg"), "image/svg+xml");
  const svg = document.importNode(parsed.documentElement, true);
  svg.setAttribute("role", "group");
  const about = add("div", "allos-chart-about");
  const box = add("div", "allos-chart-box");
  about.hidden = box.hidden = true;
  const state = add("div", "allos-chart-state");
  state.setAttribute("role", "status");
  el.prepend(svg);

  /** @type {Map<number, Element[]>} */
  const parts = new Map();
  for (const part of svg.querySelectorAll("[data-mark]")) {
    const mark = Number(part.getAttribute("data-mark"));
    parts.set(mark, [...(parts.get(mark) ?? []), part]);
  }
  const marks = [...parts.keys()];
  for (const [at, mark] of marks.entries()) {
    const [first, ...others] = parts.get(mark).reverse();
    first.setAttribute("role", "button");
    first.setAttribute("tabindex", at ? "-1" : "0");
    for (const other of others) other.setAttribute("aria-hidden", "true");
  }

  function add(tag, name) {
    const made = document.createElement(tag);
    made.className = name;
    el.append(made);
    return made;
  }

  const markOf = (target) => {
    const part = target instanceof Element ? target.closest("[data-mark]") : null;
    return part ? Number(part.getAttribute("data-mark")) : null;
  };

  function select(chosen, keep = false) {
    const selected = new Set(keep ? model.get("selected") : []);
    if (keep && chosen.length === 1 && selected.has(chosen[0])) selected.delete(chosen[0]);
    else for (const mark of chosen) selected.add(mark);
    model.set("selected", [...selected].sort((a, b) => a - b));
    model.save_changes();
  }

  function paint() {
    const selected = new Set(model.get("selected"));
    svg.classList.toggle("has-selection", selected.size > 0);
    for (const [mark, elements] of parts) {
      for (const part of elements) part.classList.toggle("is-selected", selected.has(mark));
      elements[0].setAttribute("aria-pressed", String(selected.has(mark)));
    }
    state.replaceChildren();
    if (!selected.size) return;
    const code = document.createElement("code");
    code.textContent = "chart.rows";
    state.append(`${selected.size} selected: `, code, " has the rows");
  }

  function tell(mark) {
    for (const part of svg.querySelectorAll(".is-near")) part.classList.remove("is-near");
    about.hidden = mark === null;
    if (mark === null) return;
    const [part] = parts.get(mark);
    part.classList.add("is-near");
    about.textContent = part.getAttribute("aria-label");
    const place = part.getBoundingClientRect();
    const ground = el.getBoundingClientRect();
    const left = place.left + place.width / 2 - ground.left + 12;
    about.style.left = `${Math.max(0, Math.min(left, ground.width - about.offsetWidth))}px`;
    about.style.top = `${Math.max(0, place.top - ground.top - about.offsetHeight - 6)}px`;
  }

  let start = null;
  svg.addEventListener("pointerdown", (event) => {
    if (event.button === 0) start = { x: event.clientX, y: event.clientY, mark: markOf(event.target) };
  });
  const boxOf = (event) => ({
    left: Math.min(start.x, event.clientX),
    top: Math.min(start.y, event.clientY),
    right: Math.max(start.x, event.clientX),
    bottom: Math.max(start.y, event.clientY),
  });
  svg.addEventListener("pointermove", (event) => {
    if (!start) return tell(markOf(event.target));
    const drawn = boxOf(event);
    if (drawn.right - drawn.left < MIN_BOX_PX && drawn.bottom - drawn.top < MIN_BOX_PX) return;
    svg.setPointerCapture(event.pointerId);
    tell(null);
    const ground = el.getBoundingClientRect();
    box.hidden = false;
    box.style.left = `${drawn.left - ground.left}px`;
    box.style.top = `${drawn.top - ground.top}px`;
    box.style.width = `${drawn.right - drawn.left}px`;
    box.style.height = `${drawn.bottom - drawn.top}px`;
  });
  svg.addEventListener("pointerup", (event) => {
    if (!start) return;
    const keep = event.shiftKey || event.ctrlKey || event.metaKey;
    if (box.hidden) {
      const only = model.get("selected");
      const again = only.length === 1 && only[0] === start.mark;
      select(start.mark === null || (again && !keep) ? [] : [start.mark], keep);
    } else {
      const drawn = boxOf(event);
      const inside = marks.filter((mark) => {
        const place = parts.get(mark)[0].getBoundingClientRect();
        const [x, y] = [place.left + place.width / 2, place.top + place.height / 2];
        return x >= drawn.left && x <= drawn.right && y >= drawn.top && y <= drawn.bottom;
      });
      select(inside, keep);
    }
    start = null;
    box.hidden = true;
  });
  svg.addEventListener("pointercancel", () => {
    start = null;
    box.hidden = true;
  });
  svg.addEventListener("pointerleave", () => tell(null));
  svg.addEventListener("focusin", (event) => tell(markOf(event.target)));
  svg.addEventListener("focusout", () => tell(null));
  svg.addEventListener("keydown", (event) => {
    const mark = markOf(event.target);
    if (mark === null) return;
    const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
    if (step) {
      const next = marks[marks.indexOf(mark) + step];
      if (next !== undefined) {
        parts.get(mark)[0].setAttribute("tabindex", "-1");
        parts.get(next)[0].setAttribute("tabindex", "0");
        parts.get(next)[0].focus();
      }
    } else if (event.key === "Enter" || event.key === " ") select([mark], true);
    else if (event.key === "Escape") select([]);
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  model.on("change:selected", paint);
  paint();
  return () => model.off("change:selected", paint);
}

export default { render };
