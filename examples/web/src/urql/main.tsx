// The page with urql.
import { createRoot } from 'react-dom/client';
import { App } from '../ui/App.js';
import { urqlBackend } from './hooks.js';

createRoot(document.getElementById('app')!).render(<App client="urql" createBackend={urqlBackend} />);
