// Stands in for react-style-singleton, which writes <style> elements into the page to take the scroll bar
// away behind a dialog. The policy of the page forbids those, and a page that fills the window has none.
export const styleSingleton = () => () => null;
