import { useMemo, useState } from "preact/hooks"
import { CGN_KINDS } from "../../core/cgn/index.ts"
import { checkConfiguration, compareFutures, flagRows, withFlag } from "../model/replay/index.ts"
import { type CgnConfiguration, PRESETS } from "../model/session/index.ts"
import { FutureList } from "./futures.tsx"
import { Numbers } from "./numbers.tsx"
import type { Room } from "./room.ts"
import { KIND_NAMES } from "./session-bar.tsx"

const KIND_WORDS: Readonly<Record<(typeof CGN_KINDS)[number], string>> = {
  nat444: "IPv4 inside, IPv4 outside: ports are shared (RFC 6888).",
  dslite: "IPv4 in softwires over IPv6, from B4 to AFTR (RFC 6333).",
  nat64: "IPv6 inside reaches IPv4 behind a prefix (RFC 6146).",
  nat46: "IPv4 hosts have IPv6 addresses outside; nothing is kept (RFC 7915).",
  nptv6: "One IPv6 prefix for another; ports stay (RFC 6296).",
  firewall4: "Nothing is translated; pinholes let IPv4 in.",
  firewall6: "Nothing is translated; pinholes let IPv6 in.",
  l2dslite: "IPv4 inside told apart by its link (RFC 6619).",
}

/** The CGN of the session: its kind, its switches with what each changes, and its numbers. Whatever is set is played at once. */
export const Configuration = ({ room }: { readonly room: Room }) => {
  const session = room.session.value
  const [refused, setRefused] = useState<string | undefined>(undefined)
  const before = room.before.value
  const main = room.branches.value[0]?.replay
  const effects = useMemo(
    () => (before === undefined || main === undefined ? undefined : compareFutures(before, main)),
    [before, main],
  )
  if (session === undefined) return null
  const { configuration } = session
  const set = (next: CgnConfiguration): void => {
    const why = checkConfiguration(next)
    setRefused(why)
    if (why === undefined) room.session.value = { ...session, configuration: next }
  }
  return (
    <section class="rv-configuration" aria-label="the CGN">
      <fieldset class="rv-kinds">
        <legend>kind</legend>
        {CGN_KINDS.map((kind) => (
          <label key={kind} class={kind === configuration.kind ? "rv-is-chosen" : ""}>
            <input
              type="radio"
              name="rv-kind"
              checked={kind === configuration.kind}
              onChange={() => set(PRESETS[kind])}
            />
            <span>
              <strong>{KIND_NAMES[kind]}</strong>
              <span class="rv-quiet">{KIND_WORDS[kind]}</span>
            </span>
          </label>
        ))}
      </fieldset>
      {refused === undefined ? null : <p class="rv-fault">It stays as it was: {refused}</p>}
      {effects === undefined ? null : (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keys
        <section class="rv-effects" tabIndex={0} aria-label="what the last change did">
          <h3>
            {effects.length === 0
              ? "the last change makes no difference to this session"
              : `the last change makes ${effects.length} ${effects.length === 1 ? "difference" : "differences"} to this session`}
          </h3>
          <FutureList differences={effects.slice(0, 12)} left="before" right="now" onGo={room.goTo} />
        </section>
      )}
      <div class="rv-heading">
        <h3>profile</h3>
        <button type="button" class="rv-plain" onClick={() => set({ ...configuration, flags: {} })}>
          as the preset has it
        </button>
      </div>
      <ul class="rv-switches">
        {flagRows(configuration).map(({ flag, label, on, isPreset, now, turned, bar }) => (
          <li key={flag}>
            <label>
              <input
                type="checkbox"
                checked={on}
                disabled={bar !== undefined}
                onChange={() => set(withFlag(configuration, flag, !on))}
              />
              <span>
                <strong>{label}</strong>
                {isPreset ? null : <span class="rv-changed">changed</span>}
              </span>
            </label>
            <p>{now}</p>
            <p class="rv-quiet">
              {bar === undefined
                ? `${on ? "Off" : "On"}: ${turned}`
                : `It cannot be turned ${on ? "off" : "on"}: ${bar}`}
            </p>
          </li>
        ))}
      </ul>
      <h3>numbers</h3>
      <Numbers configuration={configuration} onSet={set} />
    </section>
  )
}
