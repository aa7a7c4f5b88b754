package dev.millpond.chaos.campaign;

import dev.millpond.chaos.fault.Hands;
import dev.millpond.chaos.fault.Hit;
import dev.millpond.chaos.fleet.Fleet;
import dev.millpond.chaos.fleet.Member;
import dev.millpond.chaos.journal.Journal;
import dev.millpond.chaos.journal.Ledger;
import dev.millpond.chaos.journal.Run;
import dev.millpond.chaos.load.Clients;
import dev.millpond.chaos.store.Tables;
import dev.millpond.server.config.Role;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Who has which jobs in hand, by ledger, journal and PostgreSQL.
 *
 * @param backlog whether most jobs wait on the streams
 */
record LiveHands(
    Fleet fleet, Ledger ledger, Journal journal, Clients clients, Tables tables, boolean backlog)
    implements Hands {

  @Override
  public Hit runningOn(Member worker) {
    return of(ledger.openIn(worker.pid()));
  }

  @Override
  public Hit running() {
    return of(ledger.openIn(fleet.members(Role.WORKER).stream().map(Member::pid).toList()));
  }

  @Override
  public Hit onStreams() {
    return of(tables.onStreams());
  }

  @Override
  public Hit asking(Member api) {
    return new Hit(Set.of(), clients.asking(api.name()));
  }

  @Override
  public Hit asking() {
    return new Hit(Set.of(), clients.asking());
  }

  @Override
  public Hit open() {
    long over = ledger.succeeded() + tables.buried();
    return new Hit(Set.of(), Math.max(0, journal.acknowledged() - over));
  }

  @Override
  public Hit inFlight() {
    return running().and(of(backlog ? tables.claimed() : tables.onTheWay()));
  }

  @Override
  public boolean leads(Member member) {
    String leader = tables.leader();
    return leader != null && leader.equals(member.session());
  }

  private static Hit of(Tables.Way way) {
    return new Hit(way.named(), way.count() - way.named().size());
  }

  private static Hit of(List<Run> runs) {
    return new Hit(runs.stream().map(Run::job).collect(Collectors.toUnmodifiableSet()), 0);
  }
}
