@NullMarked
package dev.millpond.embedded;

import org.jspecify.annotations.NullMarked;
