// Evaluates to a list of sentences about what is broken on this page.
(() => {
  const faults = [];
  const root = document.documentElement;
  const name = (e) => `<${e.tagName.toLowerCase()} class="${e.getAttribute("class") ?? ""}"> "${(e.textContent ?? "").trim().slice(0, 60)}"`;
  const scrolls = (e) => e && e !== document.body && /auto|scroll/.test(getComputedStyle(e).overflowX + getComputedStyle(e).overflowY);
  const within = (e, test) => { for (; e && e !== document.body; e = e.parentElement) if (test(e)) return e; return null; };
  const hidden = (e) => within(e, (x) => x.matches(".visually-hidden, .skip, title, desc, script, style, datalist, option"));

  if (root.scrollWidth > root.clientWidth) faults.push(`the page scrolls sideways: ${root.scrollWidth} in ${root.clientWidth}`);

  // Each piece of text with its place on the page.
  const texts = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode, element = node.parentElement;
    if (!node.data.trim() || hidden(element) || getComputedStyle(element).visibility === "hidden") continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    for (const rect of element.closest("svg") ? [element.getBoundingClientRect()] : range.getClientRects())
      if (rect.width > 1 && rect.height > 1) texts.push({ element, rect, scroller: within(element, scrolls) });
  }
  for (const { element, rect, scroller } of texts) {
    if (scroller) continue;
    if (rect.left < -1 || rect.right > root.clientWidth + 1) faults.push(`leaves the window: ${name(element)}`);
    const frame = within(element, (x) => x.matches(".card, .chip, button, pre"));
    const outer = frame?.getBoundingClientRect();
    if (outer && (rect.left < outer.left - 1 || rect.right > outer.right + 1 || rect.bottom > outer.bottom + 2))
      faults.push(`leaves its frame: ${name(element)} in ${frame.className}`);
    const clip = within(element, (x) => /hidden|clip/.test(getComputedStyle(x).overflow) && x.scrollWidth > x.clientWidth + 1);
    if (clip && !clip.closest("svg")) faults.push(`is clipped: ${name(element)}`);
  }
  texts.sort((a, b) => a.rect.top - b.rect.top);
  for (let i = 0; i < texts.length; i++)
    for (let k = i + 1; k < texts.length && texts[k].rect.top < texts[i].rect.bottom - 3; k++) {
      const a = texts[i], b = texts[k];
      if (a.element === b.element || a.element.contains(b.element) || b.element.contains(a.element) || a.scroller !== b.scroller) continue;
      const wide = Math.min(a.rect.right, b.rect.right) - Math.max(a.rect.left, b.rect.left);
      const high = Math.min(a.rect.bottom, b.rect.bottom) - Math.max(a.rect.top, b.rect.top);
      if (wide > 2 && high > 3) faults.push(`lies over each other: ${name(a.element)} and ${name(b.element)}`);
    }
  return [...new Set(faults)].slice(0, 10);
})()
