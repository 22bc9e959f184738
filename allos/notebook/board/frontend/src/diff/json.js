/** JSON in one spelling, so that only what it says differs. */

/**
 * Indented JSON with its keys in order; null when a text is no JSON. A fence around it is left out.
 * @param {string} source
 */
export function canonicalJson(source) {
  const text = source.trim().replace(/^```\w*\s*\n([\s\S]*?)\n```$/, "$1");
  if (!/^[[{]/.test(text)) return null;
  try {
    return JSON.stringify(JSON.parse(text), inOrder, 2);
  } catch {
    return null;
  }
}

/** @param {string} _ @param {unknown} value */
function inOrder(_, value) {
  if (!value || typeof value !== "object" || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}
