/** What the demo reads back from PostgreSQL. */
@NullMarked
package dev.millpond.server.demo.store;

import org.jspecify.annotations.NullMarked;
