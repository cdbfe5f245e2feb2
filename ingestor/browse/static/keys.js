// j and k go through a list, o opens what has the focus, / searches. All works without this file.
"use strict";
const titles = () => [...document.querySelectorAll(".articles > li > a, .edit > :is(h2, h3) > a")];
const step = (by) => {
  const all = titles();
  const at = all.indexOf(document.activeElement);
  const next = all[at < 0 ? (by > 0 ? 0 : all.length - 1) : Math.min(Math.max(at + by, 0), all.length - 1)];
  if (next) { next.focus(); next.scrollIntoView({ block: "nearest" }); }
};
const keys = {
  j: () => step(1),
  k: () => step(-1),
  o: () => { if (titles().includes(document.activeElement)) document.activeElement.click(); },
  "/": () => { const field = document.querySelector("input[type=search]"); field.focus(); field.select(); },
};
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName)) return;
  const act = keys[event.key];
  if (act) { event.preventDefault(); act(); }
});
for (const button of document.querySelectorAll("button.copy")) {
  if (!navigator.clipboard) break;
  button.hidden = false;
  button.addEventListener("click", () => navigator.clipboard.writeText(document.getElementById(button.dataset.copies).textContent));
}
