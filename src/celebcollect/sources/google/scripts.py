"""The JavaScript that runs in a page of Google Images.

It looks, scrolls and points at elements, and changes nothing else.

Classes and ids of Google are many and short-lived; the older ones stay in the lists because pages
of all ages are served.
"""

from __future__ import annotations

import json

from celebcollect.sources.google.texts import REJECT_LABELS

_SHOWN = "const shown = (e) => !!e && e.getClientRects().length > 0;"

_CONSENT = f"""
{_SHOWN}
const labels = new Set({json.dumps(REJECT_LABELS)});
const labelOf = (text) => (text || '').trim().replace(/\\s+/g, ' ').toLowerCase();
const rejects = (b) => [b.innerText, b.value, b.getAttribute('aria-label')]
  .some((text) => labels.has(labelOf(text)));
const BUTTONS = 'button, input[type=submit], [role=button]';
const labelled = () => Array.from(document.querySelectorAll(BUTTONS))
  .find((b) => rejects(b) && shown(b));
const asks = (form) => {{
  const target = form.getAttribute('action') || '';
  return target.includes('consent.google.') || /\\/save([?#]|$)/.test(target)
    || !!form.querySelector('input[name="set_eom"]');
}};
const asking = () => Array.from(document.querySelectorAll('form')).find(asks);
"""

LOOK = f"""
{_CONSENT}
const one = (selector) => document.querySelector(selector);
const all = (selector) => Array.from(document.querySelectorAll(selector));
const marks = [];
if (one('form#captcha-form, #recaptcha.g-recaptcha')) marks.push('captcha');
if (one('.g-recaptcha, form[action*="/sorry/"], iframe[src*="/recaptcha/"]'))
  marks.push('recaptcha');
if (shown(one('button#W0wltc')) || shown(one('button#L2AGLb')) || asking() || labelled())
  marks.push('consent');
const retries = all('noscript').some((e) => e.textContent.includes('/httpservice/retry/enablejs'));
if (one('a[href*="emsg=SG_"]')
    || (retries && !one('#search, #rso, #topstuff, #botstuff, [name=q]')))
  marks.push('shell');
if (one('img.DS1iW')
    || (document.doctype && document.doctype.publicId.includes('WAPFORUM')))
  marks.push('basic');
const scripts = Array.from(document.scripts).filter((s) => !s.src)
  .map((s) => s.textContent).filter((text) => text.includes('http'));
try {{ if (window.W_jd) scripts.push(JSON.stringify(window.W_jd)); }} catch (error) {{ }}
const navigation = performance.getEntriesByType('navigation')[0];
return {{
  url: location.href,
  complete: document.readyState === 'complete',
  status: (navigation && navigation.responseStatus) || 0,
  scripts: scripts.join('\\n').slice(0, 16e6),
  answers: ((window.__celebcollect || {{}}).answers || []),
  links: all('a[href*="/imgres?"]').slice(0, 2000).map((a) => a.getAttribute('href')),
  marks: marks,
  tiles: all('[data-docid][data-lpage^="http"]').length,
  text: (document.body ? document.body.innerText : '').slice(0, 4000),
}};
"""
"""Return what `page.view` reads."""

LISTEN = """
(() => {
  if (window.__celebcollect) return;
  const heard = window.__celebcollect = {answers: [], chars: 0, refused: false};
  const keep = (status, url, text) => {
    if (status === 429 || String(url).includes('/sorry/')) heard.refused = true;
    if (typeof text === 'string' && text.includes('http') && heard.chars + text.length <= 16e6) {
      heard.chars += text.length;
      heard.answers.push(text);
    }
  };
  const fetch = window.fetch;
  window.fetch = function (...args) {
    return fetch.apply(this, args).then((answer) => {
      answer.clone().text().then((text) => keep(answer.status, answer.url, text), () => {});
      return answer;
    });
  };
  const open = XMLHttpRequest.prototype.open;
  XMLHttpRequest.prototype.open = function (...args) {
    this.addEventListener('load', () => {
      const body = this.response;
      if (typeof body === 'string') keep(this.status, this.responseURL, body);
      else if (body instanceof ArrayBuffer)
        keep(this.status, this.responseURL, new TextDecoder().decode(body));
      else if (body instanceof Blob)
        body.text().then((text) => keep(this.status, this.responseURL, text));
      else if (body && this.responseType === 'json')
        keep(this.status, this.responseURL, JSON.stringify(body));
    });
    return open.apply(this, args);
  };
})();
"""
"""Keep the bodies of what the page loads later: what endless scrolling brings is nowhere else."""

REFUSED = "return !!(window.__celebcollect && window.__celebcollect.refused);"
"""Tell whether one of the page's own requests was refused."""

MORE = f"""
{_SHOWN}
window.scrollTo(0, document.documentElement.scrollHeight);
const more = document.querySelectorAll('.YstHxe input[type=button], input.mye4qd');
const button = Array.from(more).find(shown);
if (button) button.click();
"""
"""Scroll to the end, and press "show more results" where it is shown."""

REJECT = f"""
{_CONSENT}
const known = document.querySelector('button#W0wltc');
if (shown(known)) return known;
const form = asking();
return labelled() || (form ? form.querySelector('button, input[type=submit]') : null);
"""
"""Return the button that rejects all: by id, by label, or of the first form (the second one
accepts)."""

TILES = """
const tiles = document.querySelectorAll('[data-docid][data-lpage^="http"]');
return Array.from(tiles).slice(0, arguments[0]).map((tile) => ({
  page: tile.dataset.lpage,
  title: (tile.querySelector('img[alt]') || {alt: ''}).alt,
  target: tile.querySelector('[jsname=qQjpJ], .H8Rx8c, .F0uyec, h3 a, a, img') || tile,
}));
"""
"""Return the tiles of the page in order, with the element to click."""

OPENED = f"""
{_SHOWN}
const link = arguments[0].closest('[data-docid]').querySelector('a[href*="/imgres?"]');
const big = 'img[jsname="kn3ccd"], img.iPVvYb, img.sFlh5c, img.r48jcc, img.n3VNCb';
return {{
  link: link ? link.getAttribute('href') : null,
  images: Array.from(document.querySelectorAll(big)).filter(shown).map((image) => image.src),
}};
"""
"""Return what a click on a tile has brought: a link that names the original, and what the panel
shows."""
