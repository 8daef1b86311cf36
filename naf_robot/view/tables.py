"""Parts of the page that are text, as HTML; whatever comes from outside is escaped."""

from html import escape

from naf_robot.core.records import FloatArray
from naf_robot.view.scene import Scene
from naf_robot.view.statuses import LEVELS, STALE, VELOCITY_CONTROL, NodeStatus

COLOURS = ("#2b8a3e", "#e67700", "#c92a2a", "#868e96")  # of the levels
SHOWN = {  # values of a collector's report, and how they are said
    "rate [Hz]": "{} Hz",
    "missed periods": "{} periods missed",
    "episodes per hour": "{} episodes/h",
    "policy age [s]": "policy age {} s",
}
CELL = "padding:2px 6px 2px 0;vertical-align:top"
SMALL = "font-size:12px;line-height:1.35"


def badge(level: int, text: str = "") -> str:
    """A coloured word for a level."""
    return (
        f'<span style="background:{COLOURS[level]};color:white;border-radius:4px;padding:0 6px;'
        f'font-size:11px;white-space:nowrap">{escape(text or LEVELS[level])}</span>'
    )


def robot_card(scene: Scene, robot: str, now_s: float) -> str:
    """What one robot does, and what holds it."""
    state = scene.robots[robot]
    level = state.level(now_s)
    lines = [
        f'<b style="font-size:14px">{escape(robot)}</b> {badge(level, "no joint states" if level == STALE else "")}'
    ]
    if state.policy_version:
        lines[0] += f' <span style="color:#868e96">policy {escape(state.policy_version)}</span>'
    lines += [escape(text) for text in (state.caption, scene.scenery.words(state.signals)) if text]
    for what, text, colour in (("fault", state.fault, COLOURS[2]), ("held", state.hold, COLOURS[1])):
        if text:
            lines.append(f'<span style="color:{colour}"><b>{what}:</b> {escape(text)}</span>')
    collector = scene.nodes.of(robot, "collector")
    if collector is not None:
        values = [text.format(escape(collector.values[key])) for key, text in SHOWN.items() if key in collector.values]
        lines.append(f'<span style="color:#868e96">{" · ".join(values)}</span>')
    control = scene.nodes.of(robot, VELOCITY_CONTROL)
    reasons = control.values.get("reasons", "") if control is not None else ""
    if control is not None and reasons and not state.fault:
        colour = COLOURS[control.level]
        lines.append(f'<span style="color:{colour}">velocity_control: {escape(reasons)}</span>')
    return f'<div style="{SMALL};padding:2px 12px 8px">{"<br>".join(lines)}</div>'


def node_table(nodes: list[NodeStatus], now_s: float) -> str:
    """Every node: level and sentence."""
    if not nodes:
        return f'<div style="{SMALL};padding:4px 12px">no node has reported yet</div>'
    rows = [
        f'<tr><td style="{CELL}">{badge(status.level_at(now_s))}</td>'
        f'<td style="{CELL};white-space:nowrap">{escape(status.name)}</td>'
        f'<td style="{CELL}">{escape(_sentence(status, now_s))}</td></tr>'
        for status in nodes
    ]
    return f'<div style="{SMALL};padding:4px 12px;overflow-x:auto"><table>{"".join(rows)}</table></div>'


def _sentence(status: NodeStatus, now_s: float) -> str:
    if status.level_at(now_s) == STALE:
        return f"no report for {now_s - status.received_s:.0f} s; the last one: {status.sentence}"
    return status.sentence


def heading(scene: Scene, success: FloatArray, episodes: int) -> str:
    """Which run this is, how far it has come, and what is not as one would expect."""
    known = success[success == success]  # not NaN
    rate = f"{100.0 * known[-1]:.0f}\u00a0%" if len(known) else "none yet"
    lines = [
        f"<b>{escape(scene.config.task_name)}</b>, {escape(scene.config.algorithm_name)}, "
        f"{len(scene.robots)} robots, {escape(scene.heading)}",
        f"{episodes} episodes, success of the newest evaluation episodes: <b>{rate}</b>",
        *(f'<span style="color:{COLOURS[1]}">{escape(note)}</span>' for note in scene.notes),
    ]
    return f'<div style="{SMALL};padding:4px 12px">{"<br>".join(lines)}</div>'
