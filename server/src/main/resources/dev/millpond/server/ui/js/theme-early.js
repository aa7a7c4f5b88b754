// Before the first paint, so that a chosen theme does not flash. A plain script: modules run too late.
(() => {
  try {
    const theme = localStorage.getItem('millpond.theme');
    if (theme === 'light' || theme === 'dark') {
      document.documentElement.dataset.theme = theme;
    }
  } catch {
    // A browser that stores nothing follows the system.
  }
})();
