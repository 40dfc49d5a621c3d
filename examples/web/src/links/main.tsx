// The entry of the page that the links of mails lead to: link.html#reset=TOKEN and link.html#verify=TOKEN.
import { createRoot } from 'react-dom/client';
import { ResetPassword, VerifyEmail } from '../ui/LinkPage.js';

// A fragment is sent to no server. It is also taken out of the address bar and the history.
const [kind, token] = location.hash.slice(1).split('=');
history.replaceState(null, '', location.pathname);
// Another link differs only in its fragment, so the browser would not load the page again.
addEventListener('hashchange', () => location.reload());

const Page = { reset: ResetPassword, verify: VerifyEmail }[kind];
createRoot(document.getElementById('app')!).render(
  Page && token ? <Page url={new URL('/graphql', location.href).href} token={token} /> : <p>Open the link of the mail again.</p>,
);
