"use strict";
// Tells how long the page was visible when its button is pressed: the time starts anew whenever it comes from behind.
{
  const field = document.querySelector("input[name=visible_ms]");
  let since = performance.now();
  const anew = () => { since = performance.now(); };
  document.addEventListener("visibilitychange", anew);
  addEventListener("pageshow", (event) => { if (event.persisted) anew(); });
  field.form.addEventListener("submit", () => { field.value = document.hidden ? 0 : Math.floor(performance.now() - since); });
}
