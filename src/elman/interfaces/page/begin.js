// The chosen theme and language, before anything is painted.
const root = document.documentElement;
root.dataset.theme = localStorage.getItem("elman.theme") ?? "auto";
root.lang = localStorage.getItem("elman.language") ?? (navigator.language.startsWith("zh") ? "zh" : "en");
