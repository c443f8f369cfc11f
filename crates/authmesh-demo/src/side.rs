//! The two sides that use the same instances at the same time.

/// Who sends a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    /// Through the mesh.
    Mesh,
    /// By the naive client.
    Naive,
}

impl Side {
    pub(crate) const ALL: [Self; 2] = [Self::Mesh, Self::Naive];

    /// The request field that says which side a request is from. Only counters read it.
    pub(crate) const HEADER: &'static str = "x-demo-side";

    /// Its name, as shown and as sent.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Mesh => "mesh",
            Self::Naive => "naive",
        }
    }

    pub(crate) fn named(name: &[u8]) -> Option<Self> {
        Self::ALL.into_iter().find(|side| side.name().as_bytes() == name)
    }
}
