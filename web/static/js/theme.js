// Before anything is drawn: dark, unless the person chose light here.
(() => {
  const kept = localStorage.getItem("theme");
  document.documentElement.dataset.theme = kept === "light" ? "light" : "dark";
})();
