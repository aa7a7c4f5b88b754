/**
 * Starts real PostgreSQL and Redis servers from jars, for the demo, tests and benchmarks; knows
 * nothing of the job queue. The files in the order to read them: {@link
 * dev.millpond.embedded.EmbeddedPostgres}, {@link dev.millpond.embedded.EmbeddedRedis} and {@link
 * dev.millpond.embedded.TestServers}; what they stand on is package-private.
 *
 * <p>The servers listen on 127.0.0.1 only and ask for no password: every local user can reach them.
 * They are made for a laptop and a build machine, not for production.
 */
@NullMarked
package dev.millpond.embedded;

import org.jspecify.annotations.NullMarked;
