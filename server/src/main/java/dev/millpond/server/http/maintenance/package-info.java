/** What keeps the fleet consistent: the leader, repairs, and the books. */
@NullMarked
package dev.millpond.server.http.maintenance;

import org.jspecify.annotations.NullMarked;
