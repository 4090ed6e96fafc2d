import { batch } from "@preact/signals"
import { EXAMPLE_GROUPS, type Example, GALLERY } from "../model/gallery/index.ts"
import { listPackets } from "./intake.ts"
import { Modal } from "./modal.tsx"
import type { PageState } from "./page-state.ts"
import { takeTurn } from "./turn.ts"

/** Opens an example: packets in the Inspector, a session in Replay. */
export const openExample = (page: PageState, example: Example): void => {
  takeTurn(page)
  if (example.kind === "session") {
    batch(() => {
      page.session.value = example.session()
      page.mode.value = "replay"
    })
    return
  }
  const packets = example.packets()
  const { title, why } = example
  batch(() => {
    page.mode.value = "inspect"
    page.sourceText.value = undefined
    page.bench.show({ takenFor: title, otherwise: [], packets, unread: [] }, { title: `${title}.`, why })
  })
  if (packets.length > 1) listPackets(page)
}

const GROUP_WORDS: Readonly<Record<(typeof EXAMPLE_GROUPS)[number], string>> = {
  first: "start here",
  opcodes: "opcodes",
  options: "options",
  errors: "errors",
  "NAT-PMP": "NAT-PMP",
  authentication: "authentication",
  flows: "flows by name",
  overlays: "overlay networks",
  "broken routers": "broken routers",
  "broken packets": "broken packets",
  sessions: "sessions, to replay",
}

/** The gallery, group by group. */
export const Examples = ({ page }: { readonly page: PageState }) => {
  const close = (): void => {
    page.dialog.value = undefined
  }
  return (
    <Modal title="Examples" onClose={close} wide>
      <div class="gallery">
        {EXAMPLE_GROUPS.map((group) => (
          <section key={group}>
            <h3>{GROUP_WORDS[group]}</h3>
            <ul>
              {GALLERY.filter((one) => one.group === group).map((one) => (
                <li key={one.id}>
                  <button
                    type="button"
                    title={one.why}
                    onClick={() => {
                      openExample(page, one)
                      close()
                    }}
                  >
                    {one.title}
                  </button>
                </li>
              ))}
            </ul>
          </section>
        ))}
      </div>
    </Modal>
  )
}
