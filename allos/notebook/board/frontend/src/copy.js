/** Buttons that copy a text, and say that they did. */

const SAYS_MS = 1500;

/**
 * @param {string} label what it copies, for a screen reader
 * @param {() => string} text
 */
export function copyButton(label, text) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "btn copy";
  button.textContent = "Copy";
  button.ariaLabel = label;
  button.addEventListener("click", () => copy(button, text()));
  return button;
}

/**
 * Copy a text, and let the button say whether that worked.
 * @param {HTMLButtonElement} button
 * @param {string} text
 */
export async function copy(button, text) {
  const label = (button.dataset.label ??= button.ariaLabel ?? ""); // pressed twice, it says "Copied" by now
  const said = (await toClipboard(text)) ? "Copied" : "Not allowed";
  button.textContent = button.ariaLabel = said;
  setTimeout(() => {
    button.textContent = "Copy";
    button.ariaLabel = label;
  }, SAYS_MS);
}

/** @param {string} text @returns {Promise<boolean>} whether the browser allows it */
export async function toClipboard(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copySelected(text); // a page without https, or a frame that may not
  }
}

/** @param {string} text */
function copySelected(text) {
  const area = document.createElement("textarea");
  area.value = text;
  area.className = "allos-copy-area";
  document.body.append(area);
  area.select();
  try {
    return document.execCommand("copy");
  } finally {
    area.remove();
  }
}
