// Replaces react-style-singleton, which inserts <style> elements to hide the scroll bar behind a dialog. The content
// security policy of the page forbids them, and a page that fills the window has no scroll bar.
export const styleSingleton = () => () => null;
