package dev.millpond.chaos.fleet;

/** What some kinds of faults need a fleet to have; without such a kind it is not there. */
public enum Equipment {
  /** A proxy between each member and each server. */
  PROXIES,
  /** PostgreSQL's data on a disk that can be made full. */
  BOUNDED_DISK,
  /** A clock of its own for each member. */
  OWN_CLOCKS
}
