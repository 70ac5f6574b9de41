// For Node and for the page in a browser.

/** The methods of the API that a JavaScript client knows: the functions that carry their entry of the reference. */
export function methodsOf(auth) {
  const names = new Set();
  for (let at = auth; at && at !== Object.prototype; at = Object.getPrototypeOf(at)) Object.getOwnPropertyNames(at).forEach((name) => names.add(name));
  return new Set([...names].filter((name) => typeof auth[name] === 'function' && (auth[name].entryReference ?? auth[name].entry)));
}
