"use strict";

// Build the elements that show people and pictures. Texts become text nodes, never markup.
gallery.cards = (() => {
  const THUMB_PX = 160;
  const COPIES = new Set(["exact_duplicate", "near_duplicate"]);

  function element(name, properties = {}, ...children) {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(properties)) {
      if (key in made) made[key] = value; else made.setAttribute(key, value);
    }
    made.append(...children.filter((child) => child !== null && child !== ""));
    return made;
  }

  // A text of the world, which may run in either direction.
  function bdi(text) {
    return element("bdi", {}, text);
  }

  // A link to elsewhere, or the bare text when the address is not http or https.
  function link(href, ...children) {
    let url = null;
    try { url = new URL(href); } catch { /* stays text */ }
    if (!url || !["http:", "https:"].includes(url.protocol)) return element("span", {}, ...children);
    return element("a", { href: url.href, rel: "noopener noreferrer", referrerPolicy: "no-referrer" }, ...children);
  }

  function thumbnail(sha256, alt) {
    if (!sha256) return element("span", { className: "no-thumb" }, "no preview");
    const src = `thumbs/${sha256.slice(0, 2)}/${sha256}.jpg`;
    return element("img", { src, alt, loading: "lazy", decoding: "async", width: THUMB_PX, height: THUMB_PX });
  }

  function look(sha256, file, alt) {
    const shown = thumbnail(sha256, alt);
    if (!file) return shown;
    return element("a", { className: "look", href: `${gallery.facts.filesAt}/${file}` }, shown);
  }

  function counts(numbers) {
    const parts = gallery.facts.statuses.filter((status) => numbers.get(status))
      .map((status) => element("span", { className: `count ${status}` }, `${numbers.get(status).toLocaleString("en")} ${status}`));
    return element("p", { className: "counts" }, ...parts);
  }

  function person({ person: who, counts: numbers }, href) {
    return element("li", { className: "card person" },
      element("a", { className: "whole", href },
        thumbnail(who.face, ""),
        element("span", { className: "name" }, bdi(who.name))),
      element("p", { className: "small" }, who.qid),
      counts(numbers));
  }

  function picture(row, href) {
    const { kind } = row;
    const alt = `${row.person.name}, ${kind.status}${kind.reason ? `: ${kind.reason}` : ""}`;
    const card = element("li", { className: `card picture ${kind.status}${row.other ? " wide" : ""}` });
    card.append(row.other ? pair(row, alt) : element("div", { className: "frame" }, look(row.thumb, row.file, alt)));
    card.append(element("p", { className: "verdict" },
      element("span", { className: `count ${kind.status}` }, kind.status),
      kind.reason ? element("span", { className: "reason" }, kind.reason) : "",
      row.detail ? element("span", { className: "small" }, bdi(row.detail)) : ""));
    card.append(element("p", { className: "who" }, element("a", { href }, bdi(row.person.name)), element("span", { className: "small" }, kind.source)));
    card.append(details(row));
    return card;
  }

  // A rejected picture beside the one that it was held against.
  function pair(row, alt) {
    const { other } = row;
    const who = other.name ? element("span", {}, "the same of ", bdi(other.name)) : COPIES.has(row.kind.reason) ? "kept instead" : "compared with";
    return element("div", { className: "pair" },
      element("figure", {}, look(row.thumb, row.file, alt), element("figcaption", {}, "this one", measures(row))),
      element("figure", {}, look(other.thumb, other.file, `${other.name || row.person.name}, ${other.status}`),
        element("figcaption", {}, who, measures(other))));
  }

  function measures({ size, bytes }) {
    const parts = [size ? `${size[0]}×${size[1]}` : "", bytes ? weight(bytes) : ""].filter(Boolean);
    return parts.length ? element("span", { className: "small" }, parts.join(", ")) : "";
  }

  function weight(bytes) {
    return bytes < 1e6 ? `${Math.max(1, Math.round(bytes / 1e3))} KB` : `${(bytes / 1e6).toFixed(1)} MB`;
  }

  function details(row) {
    const list = element("dl");
    const add = (term, ...values) => {
      if (values[0]) list.append(element("dt", {}, term), element("dd", {}, ...values));
    };
    add("why", gallery.facts.meanings.get(row.kind.reason));
    add("picture", row.linked ? link(row.url, row.url) : row.url);
    add("page", row.page && link(row.page, row.title ? bdi(row.title) : row.page));
    add("licence", row.licence && (row.licence_url ? link(row.licence_url, bdi(row.licence)) : bdi(row.licence)));
    add("author", row.author && bdi(row.author));
    add("size", row.size && `${row.size[0]}×${row.size[1]} px`, row.bytes ? `, ${weight(row.bytes)}` : "", row.format ? `, ${row.format}` : "");
    add("found", row.found);
    add("stored", row.stored);
    add("SHA-256", row.sha256 && element("code", {}, row.sha256));
    return element("details", {}, element("summary", {}, "Details"), list);
  }

  return { element, bdi, link, person, picture, counts };
})();
