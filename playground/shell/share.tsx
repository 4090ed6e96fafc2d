import { useSignal } from "@preact/signals"
import { useEffect } from "preact/hooks"
import { portsOf } from "../model/open/index.ts"
import { anonymiser, type Shared, toFragment } from "../model/share/index.ts"
import { AnonymousCheck, Check } from "./check.tsx"
import { copyText } from "./copy.ts"
import { Modal } from "./modal.tsx"
import type { PageState } from "./page-state.ts"

const shareOf = (page: PageState, isAnonymous: boolean): Shared | undefined => {
  const cloak = isAnonymous ? anonymiser(crypto.getRandomValues(new Uint8Array(32))) : undefined
  if (page.mode.value === "replay") {
    const session = page.session.value
    return session && { kind: "session", session: cloak?.session(session) ?? session }
  }
  const packet = page.bench.packet.value
  const { bytes } = cloak?.packet(packet) ?? packet
  return { kind: "packet", bytes, ports: portsOf(packet) }
}

/** A link that holds what is open in its fragment, which browsers send to nobody. */
export const Share = ({ page }: { readonly page: PageState }) => {
  const isAnonymous = useSignal(false)
  const link = useSignal("")
  const fault = useSignal("")
  const isReplay = page.mode.value === "replay"
  useEffect(() => {
    let isCurrent = true
    const make = async (): Promise<void> => {
      const shared = shareOf(page, isAnonymous.value)
      const made =
        shared === undefined ? ({ ok: false, text: "no session is open" } as const) : await toFragment(shared)
      if (!isCurrent) return
      link.value = made.ok ? `${location.href.replace(/#.*$/, "")}#${made.fragment}` : ""
      fault.value = made.ok ? "" : made.text
    }
    make()
    return () => {
      isCurrent = false
    }
  }, [page, isAnonymous.value, link, fault])
  return (
    <Modal
      title="Share"
      onClose={() => {
        page.dialog.value = undefined
      }}
    >
      <p>
        The link holds the {isReplay ? "session" : "packet"} itself, behind its #: browsers send that part to no server.
        Whoever has the link has the {isReplay ? "session" : "packet"}.
      </p>
      <AnonymousCheck on={isAnonymous} />
      <div class="link">
        <input aria-label="Link" readOnly value={link.value} onFocus={(event) => event.currentTarget.select()} />
        <button
          type="button"
          disabled={link.value === ""}
          onClick={async () => {
            page.bench.said.value = (await copyText(link.value))
              ? "link copied"
              : "the browser let nothing be copied: copy the link from its field"
          }}
        >
          copy
        </button>
      </div>
      {fault.value !== "" && <p class="fault">No link: {fault.value}.</p>}
      <Check on={page.keeping}>
        keep the {isReplay ? "session" : "packet"} in this page's address too, as it is edited
      </Check>
      <p class="muted">
        A reload keeps the work, and closing the tab forgets it: nothing is stored unless you bookmark or save it.
      </p>
    </Modal>
  )
}
