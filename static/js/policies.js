// Goes from round to round while cases are moved; without it each round has a button.

const form = document.querySelector("[data-go-on]");
if (form) form.requestSubmit();
