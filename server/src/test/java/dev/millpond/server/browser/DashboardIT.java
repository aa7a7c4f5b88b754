package dev.millpond.server.browser;

import static dev.millpond.server.browser.DashboardFleet.HOSTILE;
import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.server.config.ConfigKey;
import dev.millpond.server.support.LiveServer;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Each page of the dashboard and what can be done on it, in Chromium, with texts that a stranger
 * has written. No page may complain, or ask anybody but its server. Without Chromium it is skipped,
 * except in CI.
 */
@Timeout(120) // a stream that says nothing would be read for ever
@Order(1) // takes long: begins first
class DashboardIT {
  private static final List<String> PAGES =
      List.of(
          "",
          "jobs",
          "queues",
          "queues/mail",
          "dead-letters",
          "workers",
          "maintenance",
          "keys",
          "audit");

  /** A payload that JavaScript would write otherwise, with what has to be quoted. */
  private static final String EXACT =
      "{\"n\":9007199254740993,\"rate\":1.50,\"path\":\"a\\\\/b\",\"text\":\"" + HOSTILE + "\"}";

  @TempDir static Path directory;

  private static DashboardFleet fleet;
  private static Chromium browser;

  private Tab tab;
  private URI origin;

  @BeforeAll
  static void start() throws IOException {
    Assumptions.assumeTrue(
        Chromium.installed() || "true".equals(System.getenv("CI")), "the Debian package chromium");
    fleet = DashboardFleet.start(directory);
    browser = Chromium.start(directory);
  }

  @AfterAll
  static void stop() {
    if (browser != null) {
      browser.close();
    }
    if (fleet != null) {
      fleet.close();
    }
  }

  @BeforeEach
  void open() throws Exception {
    tab = browser.tab();
    tab.look(1280, 800, "light");
    origin = fleet.server().uri("/ui/");
  }

  /** What has to be so of every page, whatever it was used for. */
  @AfterEach
  void nothingElseHappened() throws IOException {
    assertThat(tab.complaints()).isEmpty();
    assertThat(tab.requests())
        .isNotEmpty()
        .allMatch(url -> url.startsWith(origin.resolve("/").toString()));
    assertThat(tab.eval("window.hacked === undefined").asBoolean()).isTrue();
    tab.close();
  }

  private void go(String page) throws IOException {
    tab.open(origin.resolve(page));
  }

  private void answer(String action) throws IOException {
    tab.click("dialog[open] .actions button", action);
    tab.until("!document.querySelector('dialog[open]')");
  }

  @Test
  void theOverviewSaysWhatIsWrongAndFollowsTheFleet() throws Exception {
    fleet
        .server()
        .post("/v1/queues/frozen/pause", "{\"reason\":\"" + HOSTILE + "\",\"by\":\"ann\"}");
    go("");
    tab.click("summary", "note");
    tab.untilText("queue frozen is paused by ann: " + HOSTILE);
    tab.until("document.querySelector('mp-chart canvas')");
    for (int i = 0; i < 3; i++) {
      fleet.submit("mail.send", "frozen", "");
    }
    String row =
        "[...document.querySelectorAll('tr')].find((e) => e.innerText.startsWith('frozen'))";
    tab.until(row + "?.cells[1].innerText === '3'");
    tab.click("a.button", "Go to queue frozen");
    tab.until("location.pathname === '/ui/queues/frozen'");
    tab.click("button", "Resume");
    tab.untilText("queue frozen goes on");
    tab.until("document.querySelector('.tile .value').innerText === '0'");
  }

  @Test
  void jobsAreFoundByASearchThatIsInTheAddressAndChosenOnesAreCancelled() throws Exception {
    for (int i = 0; i < 52; i++) {
      fleet.submit("mail.send", "bulk", ",\"delay\":\"PT1H\",\"tags\":[\"customer-7\"]");
    }
    go("jobs");
    tab.fill("#q", "queue:bulk state:scheduled tag:customer-7");
    tab.click("form.search button", "Search");
    tab.until("new URLSearchParams(location.search).get('q').startsWith('queue:bulk')");
    tab.until("document.querySelectorAll('tbody tr').length === 50");
    tab.click("a.button", "Older");
    tab.until("document.querySelectorAll('tbody tr').length === 2");
    tab.eval("document.querySelector('thead input').click()");
    tab.click("button", "Cancel 2");
    answer("Cancel");
    tab.untilText("2 jobs cancelled");
    tab.eval("history.back()");
    tab.until("document.querySelectorAll('tbody tr').length === 50");
    tab.click(".chip", "Cancelled");
    tab.until("document.querySelectorAll('tbody tr').length === 2");
    tab.fill("#q", "state:gone");
    tab.click("form.search button", "Search");
    tab.untilText("There is no state “gone”");
    String id = fleet.submit("mail.send", "bulk", ",\"delay\":\"PT1H\"");
    tab.fill("#q", id);
    tab.click("form.search button", "Search");
    tab.until("location.pathname === '/ui/jobs/" + id + "'");
    tab.click("button", "Run now");
    answer("Run now");
    fleet.until(id, "succeeded");
    tab.until("document.querySelector('.badge.state-succeeded')");
    tab.untilText("\"sent\": \"" + HOSTILE);
  }

  @Test
  void aJobShowsItsPathItsLogAndItsProgressAndIsCancelled() throws Exception {
    String id = fleet.submit("report.build", "reports", "");
    go("jobs/" + id);
    tab.untilText("40 % page 1 " + HOSTILE);
    tab.untilText("page 1 of " + HOSTILE);
    tab.untilText("\"text\": \"" + HOSTILE);
    tab.untilText("Attempt 1 started");
    go("workers");
    tab.until("document.querySelector('td button[aria-expanded]')");
    tab.eval("document.querySelector('td button[aria-expanded]').click()");
    tab.until("document.querySelector('table.inner a[href$=\"" + id + "\"]')");
    go("jobs/" + id);
    tab.click(".head button", "Cancel");
    answer("Cancel");
    tab.until("document.querySelector('h1 + .badge.state-cancelled')");
  }

  @Test
  void deadLettersAreGroupedEditedAndRedrivenAsManyAsWereCounted() throws Exception {
    String first = fleet.submitWith("bank.sync", "finance", EXACT, "");
    String second = fleet.submit("bank.sync", "finance", "");
    String third = fleet.submit("bank.sync", "finance", "");
    for (String id : List.of(first, second, third)) {
      fleet.until(id, "dead");
    }
    go("dead-letters?q=queue:finance");
    tab.untilText("account # is closed " + HOSTILE.replace("=1>", "=#>"));
    tab.until("document.querySelector('tbody strong').innerText === '3'");
    tab.click("tbody button", "Redrive …");
    tab.untilText("Redrive 3 dead letters?");
    answer("Redrive them");
    tab.untilText("3 jobs redriven");
    fleet.until(first, "dead");
    go("jobs/" + first);
    tab.until("document.querySelector('h1 + .badge.state-dead')");
    tab.click("summary", "is closed " + HOSTILE);
    assertThat(copied("asCurl")).contains("\"payload\":" + EXACT);
    assertThat(copied("asCli")).contains("--payload '" + EXACT + "'");
    assertThat(copied("asJava"))
        .contains("RawJson(\"" + EXACT.replace("\\", "\\\\").replace("\"", "\\\"") + "\")");
    String text = "document.querySelector('dialog textarea').value";
    tab.click(".head button", "Edit and redrive");
    tab.fill("dialog textarea", tab.eval(text + ".replace('1.50', '2.50')").asString());
    answer("Submit the copy");
    tab.until("location.pathname !== '/ui/jobs/" + first + "'");
    tab.untilText("\"rate\": 2.50");
    String copy = tab.eval("location.pathname.split('/').at(-1)").asString();
    assertThat(fleet.server().get("/v1/jobs/" + copy).body())
        .contains(EXACT.replace("1.50", "2.50"));
    assertThat(fleet.until(first, "cancelled").get("error").get("type").asString())
        .isEqualTo("replaced");
    fleet.until(copy, "dead");
    tab.click(".head button", "Edit and redrive");
    tab.fill("dialog input[name=maxAttempts]", "5");
    answer("Submit the copy");
    tab.until("!location.pathname.endsWith('" + copy + "')");
    tab.untilText("of 5");
    tab.untilText("\"rate\": 2.50");
  }

  /** What "Copy as" gives for the job that is shown. */
  private String copied(String form) throws IOException {
    return tab.eval(
            "import(document.querySelector('link[href$=\"/core/commands.js\"]').href)"
                + ".then((commands) => commands.%s(document.querySelector('mp-job').view))"
                    .formatted(form))
        .asString();
  }

  @Test
  void aQueueIsPausedMarkedWeightedAndLimited() throws Exception {
    fleet.submit("mail.send", "mail", "");
    go("queues/mail");
    tab.click(".head button", "Pause");
    tab.fill("dialog input[name=reason]", HOSTILE);
    tab.fill("dialog input[name=by]", "bob");
    answer("Pause");
    tab.untilText("by bob: " + HOSTILE);
    tab.click(".head button", "Resume");
    tab.until("document.querySelector('h1 + .badge.level-ok')");
    tab.fill("#high", "500");
    tab.fill("#low", "50");
    tab.eval("document.querySelector('#high').form.requestSubmit()");
    tab.untilText("full at 500 jobs, open again below 50");
    tab.fill("#weight-critical", "400");
    tab.click("button", "Set these");
    tab.untilText("100 %");
    tab.fill("#concurrency", "3");
    tab.eval("document.querySelector('#concurrency').form.requestSubmit()");
    tab.untilText("At most 3 jobs at a time");
    assertThat(fleet.get("/v1/queues/mail/weights").get("weights").get("critical").asInt())
        .isEqualTo(10_000);
    assertThat(fleet.get("/v1/queues/mail").get("highWatermark").asInt()).isEqualTo(500);
    tab.click("button", "No limits");
    tab.untilText("Nothing but the slots of the workers bounds it.");
    go("queues");
    tab.until("document.querySelector('a[href=\"/ui/queues/mail\"]')");
    tab.click("th a", "Depth");
    tab.until("document.querySelector('th[aria-sort=descending]')?.innerText.startsWith('Depth')");
    assertThat(tab.eval("location.search").asString()).isEqualTo("?sort=depth");
    tab.click("button", "Pause a kind or a tag");
    tab.fill("dialog input[name=what]", "kind:mail.archive");
    tab.fill("dialog input[name=reason]", HOSTILE);
    answer("Pause");
    tab.until("document.querySelector('td.text')?.innerText.includes('onerror')");
    tab.click("section:last-child td button", "Resume");
    tab.untilText("kind mail.archive goes on");
  }

  @Test
  void aWorkerIsDrainedAndTakenBackAndTheBooksAreChecked() throws Exception {
    go("workers");
    tab.click("button", "Drain");
    tab.fill("dialog input[name=reason]", HOSTILE);
    answer("Drain");
    tab.untilText(HOSTILE);
    tab.click("button", "Resume");
    tab.until("document.querySelector('td .badge.level-ok')");
    go("maintenance");
    tab.click("button", "Check the books");
    tab.untilText("in order");
  }

  @Test
  void keysAreMadeShownOnceAndRevokedAndChangesAreWrittenDown() throws Exception {
    go("keys");
    tab.click(".head button", "Make a key");
    tab.fill("dialog input[name=name]", "night-shift");
    tab.fill("dialog input[name=scopes]", "read, operate");
    answer("Make it");
    tab.until("/^mp_/.test(document.querySelector('.secret')?.innerText)");
    String key = tab.eval("document.querySelector('.secret').innerText").asString().strip();
    tab.click("button", "I have it");
    try (LiveServer keyed =
        LiveServer.start(
            directory.resolve("keyed"),
            Map.of(
                ConfigKey.ROLE, "api",
                ConfigKey.AUTH_MODE, "keys",
                ConfigKey.PG_URL, fleet.server().engine().pgUrl()))) {
      origin = keyed.uri("/ui/");
      Tab before = tab;
      before.close();
      tab = browser.tab();
      go("");
      tab.untilText("keys create NAME --scope admin");
      begin(key);
      tab.eval(
          "fetch('/v1/session', {method: 'DELETE', headers: {'X-Millpond-Request': '1'}})"
              + ".then((answer) => answer.status)");
      begin(key); // as if logged out in another tab: only the stream can tell
      assertThat(tab.eval("document.querySelector('.top nav').innerText").asString())
          .contains("Queues")
          .doesNotContain("Keys", "Audit");
      tab.click("button", "Log out");
      tab.until("document.querySelector('#key')");
      assertThat(tab.complaints())
          .allMatch(text -> text.contains("401") && text.matches(".*/v1/(session|events)\\W*"));
      tab.close();
    }
    tab = browser.tab();
    origin = fleet.server().uri("/ui/");
    go("keys");
    tab.click("td button", "Revoke");
    answer("Revoke");
    tab.until("document.querySelector('td .badge.level-error')");
    go("audit?action=keys.revoke");
    tab.until("document.querySelector('tbody tr code')?.innerText === 'keys.revoke'");
  }

  private void begin(String key) throws IOException {
    tab.fill("#key", key);
    tab.click("button", "Begin");
    tab.until("document.querySelector('.tools .level-ok')");
  }

  @Test
  void everyPageFitsAPhoneInBothThemesAndIsReachedByKeyboard() throws Exception {
    fleet.submit("mail.send", "mail", "");
    String ground = "getComputedStyle(document.documentElement).backgroundColor";
    tab.look(390, 844, "dark");
    go("");
    tab.until("document.querySelector('main h1')");
    String dark = tab.eval(ground).asString();
    tab.look(390, 844, "light");
    assertThat(tab.eval(ground).asString()).isNotEqualTo(dark);
    for (String page : PAGES) {
      go(page);
      tab.until("document.querySelector('main h1') && document.querySelector('.tools .level-ok')");
      assertThat(tab.eval("document.documentElement.scrollWidth").asInt())
          .as(page)
          .isLessThanOrEqualTo(390);
    }
    String focus = "document.activeElement.closest('a, button, input, summary, main')";
    go("");
    tab.until("document.querySelector('.tools .level-ok')");
    for (String expected : List.of("To the content", "Millpond", "Overview", "Jobs")) {
      tab.press("Tab", 9);
      assertThat(tab.eval(focus + ".innerText").asString()).startsWith(expected);
    }
    tab.press("Enter", 13);
    tab.until("location.pathname === '/ui/jobs'");
  }

  @Test
  void aChosenThemeIsKept() throws Exception {
    String ground = "getComputedStyle(document.documentElement).backgroundColor";
    go("");
    tab.click(".tools button", "system");
    tab.until("document.documentElement.dataset.theme === 'light'");
    String light = tab.eval(ground).asString();
    tab.click(".tools button", "light");
    tab.until(ground + " !== '" + light + "'");
    String dark = tab.eval(ground).asString();
    go("queues");
    tab.until("document.querySelector('.tools button')?.innerText.includes('dark')");
    assertThat(tab.eval(ground).asString()).isEqualTo(dark); // though the system is light
    tab.click(".tools button", "dark");
    tab.until("!document.documentElement.dataset.theme");
    assertThat(tab.eval(ground).asString()).isEqualTo(light);
    tab.look(1280, 800, "dark");
    tab.until(ground + " === '" + dark + "'");
  }

  @Test
  void aJobIsCopiedToTheClipboardInEachForm() throws Exception {
    tab.grant(origin, "clipboardReadWrite", "clipboardSanitizedWrite");
    String id = fleet.submitWith("mail.send", "bulk", EXACT, ",\"delay\":\"PT1H\"");
    go("jobs/" + id);
    tab.until("document.querySelector('button[aria-label=\"Copy the id\"]')");
    tab.eval("document.querySelector('button[aria-label=\"Copy the id\"]').click()");
    tab.untilText("Copied the id");
    assertThat(clipboard()).isEqualTo(id);
    tab.click("summary", "Copy as");
    for (String[] each :
        List.of(
            new String[] {"curl", "the call", "asCurl"},
            new String[] {"Command line", "the command", "asCli"},
            new String[] {"Java", "the code", "asJava"})) {
      tab.click(".menu button", each[0]);
      tab.untilText("Copied " + each[1]);
      assertThat(clipboard()).isEqualTo(copied(each[2])).contains("mail.send");
    }
  }

  private String clipboard() throws IOException {
    return tab.eval("navigator.clipboard.readText()").asString();
  }

  @Test
  void theFirstPaintIsQuick() throws Exception {
    double best = Double.MAX_VALUE;
    for (int i = 0; i < 20 && best >= 1_000; i++) {
      go("");
      tab.until("performance.getEntriesByName('first-contentful-paint').length === 1");
      best =
          Math.min(
              best,
              tab.eval("performance.getEntriesByName('first-contentful-paint')[0].startTime")
                  .asDouble());
    }
    assertThat(best).isLessThan(1_000);
  }
}
