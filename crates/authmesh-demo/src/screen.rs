//! Where people watch: a table that is redrawn in place on a terminal, lines elsewhere.

use std::io::{self, Write};

use crate::board::{Ink, Palette, head, rows};
use crate::phase::Phase;
use crate::report::PhaseReport;

/// Where people watch.
pub(crate) struct Screen {
    out: Box<dyn Write + Send>,
    is_terminal: bool,
    palette: Palette,
    /// Lines of the table that stand on the terminal and are drawn over next.
    standing: usize,
}

impl Screen {
    pub(crate) fn new(out: Box<dyn Write + Send>, is_terminal: bool, is_coloured: bool) -> Self {
        Self { out, is_terminal, palette: Palette::new(is_coloured), standing: 0 }
    }

    /// Says something that stays.
    pub(crate) fn say(&mut self, line: &str) -> io::Result<()> {
        self.standing = 0;
        writeln!(self.out, "{line}")?;
        self.out.flush()
    }

    /// A phase begins.
    pub(crate) fn begin(&mut self, phase: Phase) -> io::Result<()> {
        if self.is_terminal { Ok(()) } else { self.say(&self.title(phase)) }
    }

    /// Shows how it stands; only a terminal can be drawn over.
    pub(crate) fn show(&mut self, phase: Phase, phases: &[PhaseReport]) -> io::Result<()> {
        if !self.is_terminal {
            return Ok(());
        }
        let mut lines = vec![self.title(phase), head(self.palette)];
        lines.extend(phases.iter().flat_map(|phase| rows(phase, self.palette)));
        let mut text = String::new();
        if self.standing > 0 {
            text.push_str(&format!("\x1b[{}A", self.standing));
        }
        for line in &lines {
            text.push_str(&format!("\x1b[2K{line}\n"));
        }
        self.standing = lines.len();
        self.out.write_all(text.as_bytes())?;
        self.out.flush()
    }

    /// A phase has ended.
    pub(crate) fn end(&mut self, phases: &[PhaseReport]) -> io::Result<()> {
        let Some(last) = phases.last().filter(|_| !self.is_terminal) else { return Ok(()) };
        for row in rows(last, self.palette) {
            self.say(&row)?;
        }
        Ok(())
    }

    /// The whole board, to stay; it takes the place of the live one.
    pub(crate) fn close(&mut self, phases: &[PhaseReport]) -> io::Result<()> {
        if self.standing > 0 {
            write!(self.out, "\x1b[{}A\x1b[J", self.standing)?;
        }
        self.say("")?;
        self.say(&head(self.palette))?;
        let palette = self.palette;
        for row in phases.iter().flat_map(|phase| rows(phase, palette)) {
            self.say(&row)?;
        }
        self.say("")
    }

    fn title(&self, phase: Phase) -> String {
        let number = phase as usize + 1;
        let name = self.palette.paint(Ink::Bold, phase.name());
        format!("phase {number} of {}, {name}: {}", Phase::ALL.len(), phase.sentence())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::report::SideReport;

    #[derive(Clone, Default)]
    struct Paper(Arc<Mutex<Vec<u8>>>);

    impl Write for Paper {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn watched(is_terminal: bool) -> String {
        let paper = Paper::default();
        let mut screen = Screen::new(Box::new(paper.clone()), is_terminal, is_terminal);
        let (mesh, naive) = (SideReport::default(), SideReport::default());
        let phases = [PhaseReport { name: "healthy", seconds: 1.0, mesh, naive }];
        screen.begin(Phase::Healthy).unwrap();
        screen.show(Phase::Healthy, &phases).unwrap();
        screen.show(Phase::Healthy, &phases).unwrap();
        screen.end(&phases).unwrap();
        screen.close(&phases).unwrap();
        let bytes = paper.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn a_pipe_gets_lines_and_no_codes() {
        let text = watched(false);
        assert!(!text.contains('\x1b'), "{text}");
        assert!(text.starts_with("phase 1 of 8, healthy: all nine instances are well\n"), "{text}");
        assert_eq!(text.matches("naive").count(), 2, "once at the end of the phase, once closing");
    }

    #[test]
    fn a_terminal_is_drawn_over() {
        let text = watched(true);
        assert_eq!(text.matches("\x1b[4A").count(), 2, "{text:?}");
    }
}
