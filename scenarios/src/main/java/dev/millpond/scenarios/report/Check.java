package dev.millpond.scenarios.report;

/**
 * Something that has to hold.
 *
 * @param what as a sentence
 * @param holds whether it did
 * @param found what was measured
 */
public record Check(String what, boolean holds, String found) {}
