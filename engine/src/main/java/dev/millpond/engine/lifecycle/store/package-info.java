/** Connections, migrations and the database's clock. */
@NullMarked
package dev.millpond.engine.lifecycle.store;

import org.jspecify.annotations.NullMarked;
