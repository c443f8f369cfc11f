//! One demonstration from its first socket to its last.

use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::task::JoinSet;

use crate::client::Client;
use crate::clock::{Clock, sleep_until};
use crate::cpu;
use crate::day::{INSTANCES_EACH, live_through};
use crate::failure::Failure;
use crate::instance::Instance;
use crate::load::{Load, Plan};
use crate::membership::Membership;
use crate::mesh::RunningMesh;
use crate::naive::Naive;
use crate::phase::{Phase, Timetable};
use crate::report::{Leaks, Report};
use crate::scores::{Mark, Scores};
use crate::screen::Screen;
use crate::secret::Secret;
use crate::services::{ACCOUNTS, Kind, System};
use crate::side::Side;
use crate::story::{Notebook, tell};
use crate::wait::{Patience, wait_until};

/// What is demonstrated, and where people watch.
pub struct Options {
    /// How long all eight phases take together, in seconds; at least [`Options::SHORTEST`].
    pub seconds: u32,
    /// What load, luck and faults are drawn from.
    pub seed: u64,
    /// Where words go.
    pub out: Box<dyn Write + Send>,
    /// Whether that is a terminal, which can be drawn over.
    pub is_terminal: bool,
    /// Whether words may be coloured.
    pub is_coloured: bool,
}

impl Options {
    /// The shortest demonstration, in seconds: one second a phase, in which a fault can just be
    /// found. With so few requests the luck of one or two decides a phase.
    pub const SHORTEST: u32 = 8;
}

/// How a demonstration ended.
#[derive(Debug)]
pub enum Ending {
    /// All phases were shown.
    Done(Report),
    /// Somebody wanted the end before.
    Interrupted,
}

/// Threads for instances, load and naive client.
const THREADS: usize = 2;

/// How often a terminal is drawn over.
const REDRAW_EVERY: Duration = Duration::from_millis(250);

/// Gives a demonstration, on a runtime of its own.
///
/// # Errors
///
/// When it cannot be given; see [`Failure`].
pub fn run(options: Options) -> Result<Ending, Failure> {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = runtime.worker_threads(THREADS).enable_all().build()?;
    runtime.block_on(demonstrate(options))
}

/// Everything that runs.
struct Stage {
    system: Arc<System>,
    passwords: Arc<[Secret]>,
    instances: Arc<[Instance]>,
    members: JoinSet<()>,
    mesh: RunningMesh,
    notebook: Notebook,
}

async fn demonstrate(options: Options) -> Result<Ending, Failure> {
    let Options { seconds, seed, out, is_terminal, is_coloured } = options;
    let seconds = seconds.max(Options::SHORTEST);
    let mut screen = Screen::new(out, is_terminal, is_coloured);
    let stage = Stage::set(seed).await?;
    let admin = stage.mesh.admin();
    for line in stage.mesh.doors() {
        screen.say(&line)?;
    }
    screen.say("")?;

    let timetable = Timetable::new(Clock.now(), Duration::from_secs(seconds.into()));
    let mut performance = Performance::begin(&stage, timetable, seed);
    let shown = tokio::select! {
        shown = performance.show(&stage, &mut screen) => Some(shown?),
        () = stage.mesh.asked_to_end() => None,
        Ok(()) = tokio::signal::ctrl_c() => None,
    };
    performance.end().await;
    let mark = stage.mark();
    let phases = performance.scores.phases(mark);
    let notes = stage.notebook.notes();
    let leaks = stage.strike().await;
    let Some(is_saturated) = shown else { return Ok(Ending::Interrupted) };

    screen.close(&phases)?;
    for sentence in tell(&notes, timetable, &phases, &mark) {
        screen.say(&sentence)?;
    }
    if is_saturated {
        screen.say("saturated: this machine was too busy for its times to mean much.")?;
    }
    Ok(Ending::Done(Report {
        version: 1,
        seconds,
        seed,
        saturated: is_saturated,
        admin,
        phases,
        leaks,
    }))
}

impl Stage {
    /// Starts the instances and the mesh, and waits until it has found them all.
    async fn set(seed: u64) -> Result<Self, Failure> {
        let passwords: Arc<[Secret]> = (0..ACCOUNTS).map(|_| Secret::random()).collect();
        let system = Arc::new(System::new(&passwords));
        let instances: Arc<[Instance]> = Kind::ALL
            .into_iter()
            .flat_map(|kind| (1..=INSTANCES_EACH).map(move |number| (kind, number)))
            .map(|(kind, number)| {
                let seed = seed.wrapping_add(number as u64 + 10 * kind as u64);
                Instance::start(kind, number, Arc::clone(&system), seed)
            })
            .collect::<Result<_, _>>()?;
        let mesh = RunningMesh::start().await?;
        let mut members = JoinSet::new();
        let registry = mesh.registry().ok_or(Failure::NotReady)?;
        for instance in &*instances {
            members.spawn(Membership::of(instance, registry).keep());
        }
        mesh.ready(instances.len()).await?;
        let notebook = Notebook::default();
        members.spawn(notebook.clone().write(mesh.events()));
        Ok(Self { system, passwords, instances, members, mesh, notebook })
    }

    /// What has been counted outside the load.
    fn mark(&self) -> Mark {
        let counters = &self.system.counters;
        let (mesh, naive) = (counters.seen(Side::Mesh), counters.seen(Side::Naive));
        Mark { mesh_retries: self.mesh.retries(), mesh, naive }
    }

    /// Ends everything and counts what is left.
    async fn strike(mut self) -> Leaks {
        self.members.shutdown().await;
        let left = self.mesh.stop().await;
        self.instances.iter().for_each(Instance::stop);
        let alive = || Handle::current().metrics().num_alive_tasks();
        wait_until(Patience::END, || alive() == 0).await;
        let tasks = u64::try_from(alive()).unwrap_or(u64::MAX);
        Leaks { permits: left.permits, connections: left.connections, tasks }
    }
}

/// The load and the faults of one run.
struct Performance {
    timetable: Timetable,
    loads: JoinSet<()>,
    day: JoinSet<()>,
    scores: Scores,
}

impl Performance {
    fn begin(stage: &Stage, timetable: Timetable, seed: u64) -> Self {
        let address = |instance: &Instance| (instance.kind(), instance.address());
        let addresses: Vec<_> = stage.instances.iter().map(address).collect();
        let mesh = Client::of_mesh(stage.mesh.front());
        let naive = Client::Naive(Naive::new(&addresses));
        let load = |client| Load::new(Arc::new(client), Arc::clone(&stage.passwords));
        let (mesh, naive) = (load(mesh), load(naive));
        let tallies = [mesh.tally(), naive.tally()];
        let mut loads = JoinSet::new();
        loads.spawn(mesh.run(Plan::new(timetable, seed)));
        loads.spawn(naive.run(Plan::new(timetable, seed)));
        let mut day = JoinSet::new();
        let instances = Arc::clone(&stage.instances);
        day.spawn(async move { live_through(timetable, &instances, seed).await });
        Self {
            timetable,
            loads,
            day,
            scores: Scores::new(tallies, timetable.phase().as_secs_f64()),
        }
    }

    /// Shows all phases and waits for the last answer. Says whether the machine was too busy.
    async fn show(&mut self, stage: &Stage, screen: &mut Screen) -> Result<bool, Failure> {
        let before = cpu::taken();
        for phase in Phase::ALL {
            sleep_until(self.timetable.begins(phase)).await;
            self.scores.begin(stage.mark());
            screen.begin(phase)?;
            let ends = self.timetable.ends(phase);
            while Clock.now() < ends {
                sleep_until((Clock.now() + REDRAW_EVERY).min(ends)).await;
                screen.show(phase, &self.scores.phases(stage.mark()))?;
            }
            screen.end(&self.scores.phases(stage.mark()))?;
        }
        let passed = Clock.now().since(self.timetable.begins(Phase::Healthy));
        let taken = cpu::taken().zip(before).map(|(after, before)| after.saturating_sub(before));
        while self.loads.join_next().await.is_some() {}
        Ok(taken.is_some_and(|taken| cpu::is_saturated(taken, passed)))
    }

    /// Ends load and faults, also in the middle.
    async fn end(&mut self) {
        self.loads.shutdown().await;
        self.day.shutdown().await;
    }
}
