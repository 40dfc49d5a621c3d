// The page with Apollo Client.
import { createRoot } from 'react-dom/client';
import { App } from '../ui/App.js';
import { apolloBackend } from './hooks.js';

createRoot(document.getElementById('app')!).render(<App client="Apollo Client" createBackend={apolloBackend} />);
