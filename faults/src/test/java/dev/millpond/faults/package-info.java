/** What the proxy does to bytes, connections and requests. */
@NullMarked
package dev.millpond.faults;

import org.jspecify.annotations.NullMarked;
