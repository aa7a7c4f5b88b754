/** Looks at an installation and says what is wrong and what to do. */
@NullMarked
package dev.millpond.server.doctor;

import org.jspecify.annotations.NullMarked;
