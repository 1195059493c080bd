// Making elements without a framework.

/** An element: `properties` that begin with "on" listen, those with a dash are attributes, the others are set on it. */
export function element(name, properties = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (value === undefined || value === false) continue;
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (key.includes("-") || key === "role") made.setAttribute(key, value === true ? "" : value);
    else if (key === "data") Object.assign(made.dataset, value);
    else made[key] = value;
  }
  made.append(...children.filter((child) => child !== undefined));
  return made;
}

export const byId = (id) => document.getElementById(id);

/** A sentence whose first section of an RFC is a link to it. */
export function withSection(text, url) {
  const [section] = /(RFC \d+ )?§[\d.]*\d/.exec(text) ?? [];
  if (!section || !url) return [text];
  const at = text.indexOf(section);
  const link = element("a", { href: url, rel: "noreferrer" }, section);
  return [text.slice(0, at), link, text.slice(at + section.length)];
}
