/** {@code millpond chaos}: a fleet under seeded faults, and a check that no job was lost. */
@NullMarked
package dev.millpond.chaos;

import org.jspecify.annotations.NullMarked;
