package dev.millpond.server.http.events;

import dev.millpond.server.doctor.Finding;

/**
 * Something about the fleet that people should know.
 *
 * @param page of the dashboard where one acts, as a path below its root: {@code queues/mail}; empty
 *     for the overview itself
 */
record FleetFinding(Finding finding, String page) {}
