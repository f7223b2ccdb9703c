"use strict";
(() => {
  const form = document.getElementById("wall-filter");
  if (!form) return;
  const cards = [...document.querySelectorAll("#wall-cards > li")];
  const shown = document.getElementById("wall-shown");
  const choices = [...form.querySelectorAll("select")];
  const apply = () => {
    let left = 0;
    for (const card of cards) {
      const fits = choices.every((choice) => !choice.value || card.dataset[choice.name] === choice.value);
      card.hidden = !fits;
      left += fits ? 1 : 0;
    }
    shown.textContent = `${left} of ${cards.length} frames`;
  };
  form.addEventListener("change", apply);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(apply));
  form.hidden = false;
  apply();
})();
