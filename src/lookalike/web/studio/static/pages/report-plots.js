// The report's plots, drawn anew from its SVG: only shapes and words are taken over, in the page's own colours.
const SVG = 'http://www.w3.org/2000/svg', LINK = 'http://www.w3.org/1999/xlink';
const SHAPES = new Set(['svg', 'g', 'defs', 'path', 'use', 'text', 'tspan', 'clipPath', 'rect', 'line', 'polyline', 'circle', 'title']);
const PLAIN = new Set(['viewBox', 'id', 'd', 'x', 'y', 'x1', 'x2', 'y1', 'y2', 'cx', 'cy', 'r', 'width', 'height', 'points', 'transform', 'clip-path', 'class']);
const STYLES = new Set(['fill', 'stroke', 'stroke-width', 'stroke-linecap', 'stroke-linejoin', 'stroke-dasharray', 'stroke-dashoffset', 'font-size', 'font-weight', 'font', 'text-anchor', 'opacity', 'fill-opacity', 'stroke-opacity', 'fill-rule']);

/** The plots as an element; null if there are none. */
export function plotsOf(text) {
  if (!text) return null;
  const parsed = new DOMParser().parseFromString(withNames(text), 'image/svg+xml').documentElement;
  if (parsed.localName !== 'svg') return null;
  const drawn = copied(parsed);
  drawn.setAttribute('class', 'report-plots');
  drawn.setAttribute('role', 'img');
  drawn.setAttribute('aria-label', 'Figures over time');
  return drawn;
}

/** The element as XML of its own; styles by another name, as a parser may not apply them here. */
const withNames = (text) => text.replace(/\sstyle=(?=["'])/g, ' data-style=').replace(/^<svg(?![^>]*\sxmlns=)/, `<svg xmlns="${SVG}"`).replace(/^<svg(?![^>]*xmlns:xlink)/, `<svg xmlns:xlink="${LINK}"`);

function copied(one) {
  const made = document.createElementNS(SVG, one.localName);
  for (const { name, value } of one.attributes) {
    if (name === 'data-style') styled(made, value);
    else if (STYLES.has(name)) styled(made, `${name}: ${value}`);
    else if (PLAIN.has(name)) made.setAttribute(name, value);
    else if ((name === 'xlink:href' || name === 'href') && value.startsWith('#')) made.setAttribute('href', value);
  }
  for (const child of one.childNodes) {
    if (child.nodeType === Node.TEXT_NODE) made.append(child.data);
    else if (child.nodeType === Node.ELEMENT_NODE && SHAPES.has(child.localName)) made.append(copied(child));
  }
  return made;
}

function styled(made, text) {
  for (const part of text.split(';')) {
    const [name, value] = part.split(/:(.*)/s).map((one) => one?.trim());
    if (STYLES.has(name) && value && !/url\(\s*['"]?[^#'"]/.test(value)) made.style.setProperty(name, value);
  }
}
