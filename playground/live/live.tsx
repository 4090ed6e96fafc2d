/** The live views: a running server in the views of a replay. Loaded where a server gives the page. */

import { endText } from "../model/replay/index.ts"
import { Panels } from "../replay-view/index.tsx"
import { Sequence } from "../replay-view/sequence.tsx"
import { type Link, liveAddress } from "./connection.ts"
import { createStage, type LiveStage } from "./stage.ts"
import "./live.css"

export interface LiveProps {
  /** Opens a packet in Inspect. */
  readonly onOpenPacket: (bytes: Uint8Array) => void
}

/** One for the page's life: what happened while another view was shown is here when it is looked at again. */
let stage: LiveStage | undefined

export const Live = ({ onOpenPacket }: LiveProps) => {
  stage ??= createStage(liveAddress(location.href))
  const isEmpty = (stage.replay.value?.moments.length ?? 0) === 0
  return (
    <div class="rv lv">
      <Bar stage={stage} />
      <div class="rv-columns">
        <div class="rv-main">{isEmpty ? <Nothing stage={stage} /> : <Sequence room={stage} />}</div>
        <Panels room={stage} onOpen={onOpenPacket} />
      </div>
    </div>
  )
}

const count = (value: number, one: string): string => `${value.toLocaleString("en")} ${value === 1 ? one : `${one}s`}`

const Bar = ({ stage: { hello, link, playing, rate, total, missed, follow, view } }: { readonly stage: LiveStage }) => {
  const server = hello.value
  const isFollowing = playing.value
  const listed = view.value?.mappings.length ?? 0
  return (
    <section class="lv-bar" aria-label="the server">
      <p class="lv-link" role="status" data-state={link.value.state}>
        {linkText(link.value, isFollowing)}
      </p>
      {link.value.state === "lost" ? <p class="rv-quiet">in {link.value.seconds} s</p> : null}
      {server === undefined ? null : (
        <p>
          <span class="rv-mono">{server.local.map(({ address, port }) => endText(address, port)).join(", ")}</span>{" "}
          <span class="rv-quiet">{server.kind}</span>
        </p>
      )}
      <p class="rv-mono">{count(total.value, "mapping")}</p>
      <p class="rv-mono">{count(Math.round(rate.value), "request")}/s</p>
      {missed.value === 0 ? null : (
        <p class="rv-quiet">
          <span class="rv-mono">{missed.value.toLocaleString("en")}</span> came too fast to be drawn
        </p>
      )}
      {total.value > listed && listed > 0 ? (
        <p class="rv-quiet">
          <span class="rv-mono">{listed.toLocaleString("en")}</span> of the mappings are here
        </p>
      ) : null}
      <button
        type="button"
        aria-pressed={!isFollowing}
        onClick={() => {
          if (isFollowing) playing.value = false
          else follow()
        }}
      >
        {isFollowing ? "pause" : "follow again"}
      </button>
    </section>
  )
}

const linkText = (link: Link, isFollowing: boolean): string => {
  switch (link.state) {
    case "connecting":
      return "connecting to the server"
    case "open":
      return isFollowing ? "live" : "standing still: the server goes on"
    case "lost": {
      // How long it takes stands beside it: a reader of the screen is not to count along.
      const lost = `connection lost${link.why === "" ? "" : ` (${link.why})`}: trying again`
      return link.tries < 4 ? lost : `${lost}. A server that was started anew has another address, which it prints`
    }
    case "foreign":
      return "the server speaks another version of this page's language: reload the page"
  }
}

const Nothing = ({ stage: { hello } }: { readonly stage: LiveStage }) => {
  const [first] = hello.value?.local ?? []
  return (
    <section class="lv-nothing" aria-label="sequence">
      <p>Nobody has asked the server for anything since this page was opened.</p>
      {first === undefined ? null : (
        <p>
          Try <code>sallyport map 8080/tcp --server {endText(first.address, first.port)}</code>
        </p>
      )}
    </section>
  )
}
