// Tells how long the page was visible when its button is pressed: the time starts anew whenever it comes from behind.
// Holds none of the characters that templates escape, so that it stands in the page as its policy names it.
{
  const field = document.querySelector(`input[name=visible_ms]`);
  let since = performance.now();
  function anew() { since = performance.now(); }
  document.addEventListener(`visibilitychange`, anew);
  addEventListener(`pageshow`, function (event) { if (event.persisted) anew(); });
  field.form.addEventListener(`submit`, function () { field.value = document.hidden ? 0 : Math.floor(performance.now() - since); });
}
