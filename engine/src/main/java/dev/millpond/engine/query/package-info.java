/** What operators and clients read: jobs, queues, dead letters, health. */
@NullMarked
package dev.millpond.engine.query;

import org.jspecify.annotations.NullMarked;
