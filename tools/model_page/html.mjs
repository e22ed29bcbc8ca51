// The few pieces of HTML that the model page is made of.

/** Text as markup. @param {string} text */
export function escaped(text) {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}

/** A line of Markdown: code, bold, emphasis, and links as their text, since what the card links is not on the page. @param {string} text */
export function inline(text) {
  return escaped(text)
    .replace(/`([^`]+)`/g, '<code>$1</code>')
    .replace(/\*\*([^*]+)\*\*/g, '<strong>$1</strong>')
    .replace(/\*([^*]+)\*/g, '<em>$1</em>')
    .replace(/\[([^\]]+)\]\([^)]+\)/g, '$1');
}

/** @param {string} address @param {string} text */
export function link(address, text) {
  return `<a href="${escaped(address)}">${escaped(text)}</a>`;
}

/** @param {string} markup */
export function paragraph(markup) {
  return `<p>${markup}</p>\n`;
}

/** @param {string[]} items as markup */
export function list(items) {
  return `<ul>${items.map((item) => `<li>${item}</li>`).join('\n')}</ul>\n`;
}

/** @param {string} title @param {string} markup */
export function section(title, markup) {
  return `<section>\n<h2>${escaped(title)}</h2>\n${markup}</section>`;
}

/**
 * A table whose first column names the rows.
 * @param {string[]} head
 * @param {string[][]} rows
 * @param {{markup?: boolean}} [options] whether the cells are markup already
 */
export function table(head, rows, { markup = false } = {}) {
  const text = markup ? (/** @type {string} */ cell) => cell : escaped;
  const line = (/** @type {string[]} */ [name, ...cells]) => `<tr><th scope="row">${text(name)}</th>${cells.map((cell) => `<td>${text(cell)}</td>`).join('')}</tr>`;
  const heads = head.map((cell) => `<th scope="col">${text(cell)}</th>`).join('');
  return `<div class="table" role="region" tabindex="0" aria-label="${escaped(head[0].replace(/<[^>]*>/g, ''))}"><table${markup ? ' class="words"' : ''}>\n<thead><tr>${heads}</tr></thead>\n<tbody>\n${rows.map(line).join('\n')}\n</tbody>\n</table></div>\n`;
}

/** Names with what is said of each, as markup. @param {[string, string][]} pairs */
export function marked(pairs) {
  return `<dl class="glance">${pairs.map(([name, text]) => `<div><dt>${escaped(name)}</dt><dd>${text}</dd></div>`).join('\n')}</dl>\n`;
}
