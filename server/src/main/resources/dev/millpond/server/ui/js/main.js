// The dashboard begins here: its pages and its frame register themselves.
import './pages/overview.js';
import './pages/jobs.js';
import './pages/job.js';
import './pages/queues.js';
import './pages/queue.js';
import './pages/dead-letters.js';
import './pages/workers.js';
import './pages/maintenance.js';
import './pages/keys.js';
import './pages/audit.js';
import './parts/login.js';
import './parts/app.js';
