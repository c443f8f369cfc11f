//! A source that reads a file, and reads it again when it changes.

mod text;

use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::source::{NextUpdate, Source};
use super::{Instance, Update, View};
use crate::alarm::Alarm;

/// A watched file of instances, in TOML:
///
/// ```toml
/// [[instance]]
/// id = "token-1"                      # the first address if left out
/// address = "10.0.0.7:8443"           # or addresses = ["10.0.0.7:8443", "unix:/run/token.sock"]
/// identity = "spiffe://corp.example/token"  # who it must prove to be, by mutual TLS
/// zone = "a"
/// weight = 0.5                        # shares, 0.1 to 10; 1 if left out
/// version = "2.4.1"
/// metadata = { build = "41c2" }
/// ```
///
/// The directory of the file is watched, so that a file replaced by renaming or by swapping a
/// symbolic link (as Kubernetes does) is seen; it is also read every [`Self::POLL_INTERVAL`] for
/// changes that the operating system does not tell. A file that is missing, has a fault, or lists
/// nobody without saying `instance = []` changes nothing: the source says [`Update::Lost`] with path, line and fault, and the last view stands.
///
/// Nothing is opened before the first [`Source::next`], which must run on a tokio runtime.
#[derive(Debug)]
pub struct File {
    path: PathBuf,
    alarm: Alarm,
    /// The file may have changed since it was last read to its end.
    due: bool,
    said: Option<Update>,
    view: View,
}

impl File {
    /// The longest file that is read, in bytes.
    pub const LONGEST: u64 = 16 * 1024 * 1024;
    /// How often the file is read although no change was told.
    pub const POLL_INTERVAL: Duration = Duration::from_secs(30);
    /// How long a change is left to settle before the file is read.
    pub const SETTLE_TIME: Duration = Duration::from_millis(200);

    /// The source that reads `path`.
    #[must_use]
    pub fn watch(path: impl Into<PathBuf>) -> Self {
        Self::polled(path.into(), Self::POLL_INTERVAL)
    }

    fn polled(path: PathBuf, interval: Duration) -> Self {
        let directory = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
            _ => PathBuf::from("."),
        };
        let alarm = Alarm::new(directory, interval, Self::SETTLE_TIME);
        Self { path, alarm, due: true, said: None, view: View::default() }
    }

    /// What is to be said after `read`; `None` if it was said before.
    fn judge(&mut self, read: Result<Vec<Instance>, String>) -> Option<Update> {
        let update = match read {
            Ok(instances) => {
                let new = View::of(self.view.revision + 1, instances);
                if self.view.revision == 0 || new.instances != self.view.instances {
                    self.view = new;
                }
                Update::View(self.view.clone())
            }
            Err(reason) => Update::Lost { reason },
        };
        if self.said.as_ref() == Some(&update) {
            return None;
        }
        self.said = Some(update.clone());
        Some(update)
    }
}

impl Source for File {
    fn next(&mut self) -> NextUpdate<'_> {
        Box::pin(async {
            loop {
                if !self.due {
                    self.alarm.rings().await;
                    self.due = true;
                }
                // Watched before it is read: what changes meanwhile rings again.
                self.alarm.arm();
                let path = self.path.clone();
                let read = tokio::task::spawn_blocking(move || read(&path)).await;
                self.due = false;
                let read = read.unwrap_or_else(|_| Err("reading was interrupted".into()));
                if let Some(update) = self.judge(read) {
                    return update;
                }
            }
        })
    }
}

/// The instances in the file at `path`, or a sentence that names path, line and fault.
fn read(path: &Path) -> Result<Vec<Instance>, String> {
    let place = path.display();
    let bytes = read_bounded(path).map_err(|fault| format!("{place}: {fault}"))?;
    let text = String::from_utf8(bytes).map_err(|_| format!("{place}: it is not UTF-8"))?;
    text::instances(&text).map_err(|fault| format!("{place}:{}: {}", fault.line, fault.what))
}

fn read_bounded(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    std::fs::File::open(path)?.take(File::LONGEST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > File::LONGEST {
        let longest = File::LONGEST >> 20;
        return Err(io::Error::other(format!("it is longer than {longest} MiB")));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::future::poll_fn;
    use std::task::Poll;

    use super::*;

    const AN_HOUR: Duration = Duration::from_secs(3600);

    fn entry(port: u16) -> String {
        format!("[[instance]]\naddress = \"127.0.0.1:{port}\"\n")
    }

    fn ports(update: &Update) -> Vec<String> {
        match update {
            Update::View(view) => view.instances.iter().map(|each| each.id.to_string()).collect(),
            Update::Lost { reason } => panic!("lost: {reason}"),
        }
    }

    fn replace(path: &Path, text: &str) {
        let new = path.with_extension("new");
        fs::write(&new, text).unwrap();
        fs::rename(&new, path).unwrap();
    }

    #[tokio::test]
    async fn a_change_is_told_and_a_fault_keeps_the_last_view() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("instances.toml");
        fs::write(&path, entry(1)).unwrap();
        let mut source = File::polled(path.clone(), AN_HOUR);
        let first = source.next().await;
        assert_eq!(ports(&first), ["127.0.0.1:1"]);

        replace(&path, &(entry(1) + "\n[[instance]]\nadress = \"127.0.0.1:2\"\n"));
        let Update::Lost { reason } = source.next().await else { panic!("it has a fault") };
        assert_eq!(reason, format!("{}:5: unknown key `adress`", path.display()));

        replace(&path, &entry(1));
        assert_eq!(source.next().await, first, "found again, unchanged: the same revision");

        fs::remove_file(&path).unwrap();
        assert!(matches!(source.next().await, Update::Lost { .. }));

        fs::write(&path, entry(1) + &entry(2)).unwrap();
        let Update::View(view) = source.next().await else { panic!("it is back") };
        assert_eq!((view.revision, view.instances.len()), (2, 2));
    }

    #[tokio::test]
    async fn a_swapped_symbolic_link_is_told() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        for port in [1, 2] {
            fs::create_dir(at(&format!("..{port}"))).unwrap();
            fs::write(at(&format!("..{port}/instances.toml")), entry(port)).unwrap();
        }
        std::os::unix::fs::symlink("..1", at("..data")).unwrap();
        std::os::unix::fs::symlink("..data/instances.toml", at("instances.toml")).unwrap();
        let mut source = File::polled(at("instances.toml"), AN_HOUR);
        assert_eq!(ports(&source.next().await), ["127.0.0.1:1"]);

        std::os::unix::fs::symlink("..2", at("..data.new")).unwrap();
        fs::rename(at("..data.new"), at("..data")).unwrap();
        assert_eq!(ports(&source.next().await), ["127.0.0.1:2"]);
    }

    #[tokio::test]
    async fn a_wait_that_is_dropped_loses_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("instances.toml");
        fs::write(&path, entry(1)).unwrap();
        let mut source = File::polled(path.clone(), AN_HOUR);
        source.next().await;

        replace(&path, &entry(2));
        let update = loop {
            // Every wait is dropped after it was polled once, whatever it was waiting for.
            let mut wait = source.next();
            let polled = poll_fn(|context| Poll::Ready(wait.as_mut().poll(context))).await;
            if let Poll::Ready(update) = polled {
                break update;
            }
            drop(wait);
            tokio::task::yield_now().await;
        };
        assert_eq!(ports(&update), ["127.0.0.1:2"]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_directory_that_appears_later_is_found_by_polling() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("later").join("instances.toml");
        let mut source = File::watch(&path);
        assert!(matches!(source.next().await, Update::Lost { .. }));

        fs::create_dir(path.parent().unwrap()).unwrap();
        fs::write(&path, entry(1)).unwrap();
        assert_eq!(ports(&source.next().await), ["127.0.0.1:1"]);
    }
}
