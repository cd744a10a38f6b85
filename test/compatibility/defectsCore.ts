/**
 * The defects of the original's core (platform.md, section 9) and those that its remote agents meet (remote.md, section 6).
 *
 * @module
 */
import { because, type DefectList, none, open, tested } from "./defect.ts"

/** P1 to P50. */
export const core: DefectList = {
  title: "The core",
  letter: "P",
  label: "platform defect",
  source: { file: "platform.md", after: "## 9. Defects not to copy", row: /^(\d+)\. / },
  defects: [
    tested(1, "anybody sends messages to any workspace, by naming no caller or the target itself"),
    tested(2, "registering a new id makes a workspace and gives a token, unasked"),
    tested(3, "a workspace without a live token is not checked at all"),
    tested(4, "a removed workspace is given a token that is never good, and blocks its id"),
    tested(5, "before the first token every admin route is open"),
    tested(6, "a failing database opens doors, or looks like a lost token"),
    tested(7, "an agent moves itself in the hierarchy"),
    tested(8, "parents may form a circle, on which walks never end"),
    tested(9, "a route for tests hands out tokens of any workspace"),
    tested(
      10,
      "URL, card and who may talk to whom are told to anybody",
      "id, name, role, tier, status and parent stay open"
    ),
    tested(11, "a header that anyone can write opens every route of a workspace"),
    open(12, "development mode takes a wrong bearer", because.development),
    tested(13, "redirects, second look-ups and some addresses lead inside"),
    tested(14, "the agent is not told, nor given proof of, who calls"),
    tested(15, "forwarded headers change the platform's URL that agents are told"),
    tested(16, "one rate for everybody behind an address"),
    tested(17, "bodies and rows without limits", "secrets and activity are still to come"),
    tested(18, "a cookie decides who is said to have made a token"),
    open(19, "secrets in clear without a key, and not bound to their rows", because.secrets),
    tested(20, "two statuses are written that the database refuses", "the other, `hibernating`, does not exist here"),
    tested(21, "an agent that registered itself is taken for a container"),
    tested(22, "silence of remote agents is noticed only beside Docker"),
    tested(23, "an agent that came back, or was made with a URL, is never missed again"),
    open(24, "an expired key sends an event although nothing changed", because.events),
    tested(25, "a beat undoes a pause or a deletion of the same moment"),
    tested(26, "registering ends a pause, restarting revives what was removed"),
    open(27, "pause takes an external agent's URL, resume wants a container for it", because.pause),
    open(28, "hibernation never happens, says it did, and nothing wakes from it", because.pause),
    none(29, "hosted machines run on after pause and deletion", because.containers),
    tested(30, "a patch fails in part and says nothing"),
    tested(31, "deleting an unknown id succeeds; a deletion is four separate writes"),
    none(32, "a secret changed during a restart is not seen", because.containers),
    tested(33, "a deleted agent is never told to stop, and its beats are welcome"),
    tested(34, "looking for peers fails on one without a role"),
    tested(35, "two first registrations both get a token; the limit of tokens is overrun"),
    tested(36, "one beat sends two events, and a capability counts one beat late", "events are still to come"),
    tested(37, "messages are sent to removed, failed and absent agents"),
    tested(38, "a queued message is lost when the agent is busy again"),
    tested(39, "the answer to a queued message is thrown away"),
    tested(40, "what may have arrived is sent again", "delegations are still to come"),
    tested(41, "a caller that hangs up takes its waiting message along"),
    tested(42, "what was given out at a crash is stuck; what fails is told to nobody"),
    tested(43, "X-Timeout and the ceiling bound nothing"),
    tested(44, "long bodies are cut, big numbers change, errors get lost"),
    open(45, "results of delegations get lost in four ways", because.delegations),
    open(46, "running delegations are lost at a restart", because.delegations),
    open(47, "failures carry no id; updates take unknown ids in any order", because.delegations),
    open(48, "a key names another target's delegation, and vanishes", because.delegations),
    open(49, "secrets come in part when a query fails", because.secrets),
    tested(50, "equal keys come in any order", "delegations are still to come")
  ]
}

/** U1 to U15. */
export const remote: DefectList = {
  title: "Remote agents",
  letter: "U",
  label: "remote U",
  source: { file: "remote.md", after: "## 6. Defects seen", row: /^\| U(\d+) \|/ },
  defects: [
    tested(
      1,
      "an agent that is waited for cannot come: no first registration, and beats do not count",
      "the first registration without a token while it is waited for (C3) is still to come"
    ),
    tested(2, "the state of a deleted workspace is a 401 to its agent"),
    tested(3, "nothing is delivered to an agent without a URL"),
    tested(4, "the activity list has no cursor and the wrong order for pollers"),
    tested(5, "what an agent notifies comes back to it as a message"),
    none(6, "the allowlist does not hold for downloads, nor for a whole tree", because.plugins),
    tested(7, "registering a removed id mints a token, a purged one comes back"),
    tested(8, "the Python snippet does not run"),
    open(
      9,
      "pause takes an external agent's URL; resume wants a container; plugins cannot be recorded",
      `${because.pause}; ${because.plugins}`
    ),
    tested(10, "an Origin equal to the host is trusted"),
    tested(11, "silence of remote agents is noticed only beside Docker"),
    tested(12, "registering ends a pause"),
    tested(13, "a URL given at creation is not checked"),
    none(14, "imported external workspaces are taken for containers", because.orgImport),
    none(15, "a test of the staging system talks to production", "concerns the original's tests, not the platform")
  ]
}
