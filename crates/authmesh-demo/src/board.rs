//! The scoreboard as people read it.

use crate::report::{PhaseReport, SideReport};

/// How words stand out.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Palette {
    is_coloured: bool,
}

/// A way to stand out: the codes of ECMA-48.
#[derive(Clone, Copy)]
pub(crate) enum Ink {
    Bold,
    Faint,
    Good,
    Bad,
}

impl Palette {
    pub(crate) const fn new(is_coloured: bool) -> Self {
        Self { is_coloured }
    }

    pub(crate) fn paint(self, ink: Ink, text: &str) -> String {
        if !self.is_coloured {
            return text.to_owned();
        }
        let code = match ink {
            Ink::Bold => 1,
            Ink::Faint => 2,
            Ink::Good => 32,
            Ink::Bad => 31,
        };
        format!("\x1b[{code}m{text}\x1b[0m")
    }
}

/// The line above the rows.
pub(crate) fn head(palette: Palette) -> String {
    let head = format!(
        "{:<10}{:<7}{:>8}{:>10}{:>10}{:>11}{:>13}{:>13}",
        "phase", "side", "requests", "success", "p50", "p99", "attempts/req", "spent twice"
    );
    palette.paint(Ink::Faint, &head)
}

/// The two rows of a phase.
pub(crate) fn rows(phase: &PhaseReport, palette: Palette) -> [String; 2] {
    let name = palette.paint(Ink::Bold, &format!("{:<10}", phase.name));
    let mesh = row(&phase.mesh, "mesh", palette);
    let naive = row(&phase.naive, "naive", palette);
    [format!("{name}{mesh}"), format!("{:<10}{naive}", "")]
}

fn row(side: &SideReport, name: &str, palette: Palette) -> String {
    let success = format!("{:>9.1}%", floor_to_tenth(side.success_percent()));
    let success = palette.paint(if side.failed == 0 { Ink::Good } else { Ink::Bad }, &success);
    let twice = format!("{:>13}", side.spent_twice);
    let twice = if side.spent_twice == 0 { twice } else { palette.paint(Ink::Bad, &twice) };
    format!(
        "{name:<7}{:>8}{success}{:>7.1} ms{:>8.1} ms{:>13.2}{twice}",
        side.requests,
        side.p50_ms,
        side.p99_ms,
        side.attempts_per_request(),
    )
}

/// A share is never rounded up to a hundred percent.
fn floor_to_tenth(percent: f64) -> f64 {
    (percent * 10.0).floor() / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn phase() -> PhaseReport {
        let mesh = SideReport {
            requests: 2_000,
            ok: 1_999,
            failed: 1,
            p50_ms: 0.84,
            p99_ms: 12.3,
            attempts: 2_020,
            ..SideReport::default()
        };
        PhaseReport { name: "frozen", seconds: 5.0, mesh, naive: SideReport::default() }
    }

    #[test]
    fn columns_stand_under_their_heads() {
        let plain = Palette::new(false);
        let [mesh, naive] = rows(&phase(), plain);
        assert_eq!(
            head(plain),
            "phase     side   requests   success       p50        p99 attempts/req  spent twice"
        );
        assert_eq!(
            mesh,
            "frozen    mesh       2000     99.9%    0.8 ms    12.3 ms         1.01            0"
        );
        assert_eq!(naive.len(), mesh.len());
    }

    #[test]
    fn colour_is_used_only_when_asked_for() {
        assert!(!rows(&phase(), Palette::new(false)).concat().contains('\x1b'));
        assert!(rows(&phase(), Palette::new(true)).concat().contains('\x1b'));
    }
}
