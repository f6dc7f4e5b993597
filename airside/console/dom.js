/**
 * Elements from data. Text becomes text nodes and nothing here reads markup, so that an id or
 * a note can say whatever it likes. (The page's policy forbids the other ways, too.)
 */

const SVG = "http://www.w3.org/2000/svg";
export const HANDLERS = ["onclick", "oninput", "onsubmit", "onchange"];

/** An HTML element. `null`, `undefined` and `false` attributes and children are left out. */
export function h(tag, attributes = {}, ...children) {
  return filled(document.createElement(tag), attributes, children);
}

/** The same for SVG. */
export function s(tag, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, tag), attributes, children);
}

function filled(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (HANDLERS.includes(name)) element[name] = value;
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...nodes(children));
  return element;
}

function nodes(children) {
  return children
    .flat(Infinity)
    .filter((child) => child !== null && child !== undefined && child !== false)
    .map((child) => (child instanceof Node ? child : document.createTextNode(String(child))));
}

/**
 * Make `host` show these children, changing only what differs: focus, scrolling, opened
 * details and half-typed text stay. A child with `data-key` is found again by it.
 */
export function show(host, ...children) {
  const fresh = nodes(children);
  const keyed = new Map([...host.childNodes].filter(keyOf).map((node) => [keyOf(node), node]));
  let at = host.firstChild;
  for (const next of fresh) {
    const key = keyOf(next);
    const old = key ? keyed.get(key) : at;
    if (!old || !alike(old, next)) {
      host.insertBefore(next, at);
      continue;
    }
    if (old === at) at = at.nextSibling;
    else host.insertBefore(old, at);
    become(old, next);
  }
  while (at) {
    const after = at.nextSibling;
    at.remove();
    at = after;
  }
}

function keyOf(node) {
  return node instanceof Element ? node.getAttribute("data-key") : null;
}

function alike(old, next) {
  return (
    old.nodeType === next.nodeType &&
    old.nodeName === next.nodeName &&
    keyOf(old) === keyOf(next)
  );
}

function become(old, next) {
  if (!(old instanceof Element)) {
    if (old.nodeValue !== next.nodeValue) old.nodeValue = next.nodeValue;
    return;
  }
  for (const { name } of [...old.attributes]) {
    if (!next.hasAttribute(name) && !isTheirs(old, name)) old.removeAttribute(name);
  }
  for (const { name, value } of next.attributes) {
    if (old.getAttribute(name) !== value && !isTheirs(old, name)) old.setAttribute(name, value);
  }
  for (const name of HANDLERS) old[name] = next[name];
  show(old, ...next.childNodes);
}

/** What the person has done to an element, which no redrawing undoes. */
function isTheirs(element, name) {
  return name === "open" && element.nodeName === "DETAILS";
}
