import { useMemo } from "preact/hooks"
import { type Run, type Timing, timingsOf } from "../model/network/index.ts"
import { clockText } from "./clock.ts"

const LISTED = 100

/** Seconds to the millisecond. */
const seconds = (milliseconds: number): string => (milliseconds / 1000).toFixed(3)

/** How the client kept to the times of RFC 6887: what it waited beside what it may wait. */
export const Timings = ({ run, onGo }: { readonly run: Run; readonly onGo: (at: number) => void }) => {
  const timings = useMemo(() => timingsOf(run), [run])
  return (
    <details class="rv-timings">
      <summary>
        {timings.length === 0 ? "it asked for nothing again" : `${timings.length} waits beside those of RFC 6887`}
      </summary>
      {timings.length === 0 ? null : (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keys
        <section class="rv-scroll rv-short" tabIndex={0} aria-label="waits of the client">
          <table class="rv-table">
            <thead>
              <tr>
                <th scope="col">at</th>
                <th scope="col">it asks again</th>
                <th scope="col">after, s</th>
                <th scope="col">RFC 6887 has, s</th>
                <th scope="col">where</th>
              </tr>
            </thead>
            <tbody>
              {timings.slice(0, LISTED).map((timing) => (
                <Line key={timing.at} timing={timing} onGo={onGo} />
              ))}
            </tbody>
          </table>
          {timings.length > LISTED ? <p class="rv-quiet">and {timings.length - LISTED} more</p> : null}
        </section>
      )}
    </details>
  )
}

const Line = ({ timing, onGo }: { readonly timing: Timing; readonly onGo: (at: number) => void }) => {
  const { at, kind, number, waited, least, most } = timing
  const [from, size] = [least, Math.max(1, most - least)]
  // The span that is allowed is the middle half of the line.
  const place = 25 + (50 * (waited - from)) / size
  return (
    <tr>
      <td>
        <button type="button" class="rv-plain rv-mono" onClick={() => onGo(at)}>
          {clockText(at)}
        </button>
      </td>
      <td>{kind === "renewal" ? `to renew, slot ${number}` : `retransmission ${number}`}</td>
      <td class="rv-mono">
        {seconds(waited)}
        <span class="rv-span" aria-hidden="true">
          <i style={{ left: `${Math.min(98, Math.max(0, place))}%` }} />
        </span>
      </td>
      <td class="rv-mono">
        {seconds(least)} to {seconds(most)}
      </td>
      <td class="rv-quiet">{kind === "renewal" ? "section 11.2.1" : "section 8.1.1"}</td>
    </tr>
  )
}
