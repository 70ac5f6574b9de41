
// The module takes credentials out of the address bar. Nothing else is asked for before that is done, so that no request can carry them.
import '%FALCONER%/sdk/falconer.js';
for (const [rel, href] of [['stylesheet', '/notes.css'], ['icon', '/icon.svg']]) {
  document.head.append(Object.assign(document.createElement('link'), { rel, href }));
}
import('/notes.js');
