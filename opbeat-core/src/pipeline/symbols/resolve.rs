//! From an address to what the debug information says of it.
//!
//! Capturing a stack and symbolising by the `backtrace` crate share one lock in the whole process. A worker that reads
//! debug information for half a second would hold up each request that fails meanwhile. Where the system tells which
//! file an address belongs to, the worker therefore reads that file by itself.

/// One call at an address.
pub(super) struct Call {
    /// The function with its path, without the compiler's hash.
    pub(super) function: String,
    /// The source file, or an empty string.
    pub(super) path: String,
    /// The line, from 1; 0 where it is not known.
    pub(super) line: u32,
    /// The column, from 1.
    pub(super) column: Option<u32>,
}

#[cfg(target_os = "linux")]
pub(super) use linux::Resolver;
#[cfg(not(target_os = "linux"))]
pub(super) use portable::Resolver;

#[cfg(target_os = "linux")]
mod linux {
    use std::collections::HashMap;
    use std::fs::{self, File};
    use std::io::Read;

    use addr2line::Loader;

    use super::Call;

    /// Reads the files that the process runs from, each once.
    #[derive(Default)]
    pub(in super::super) struct Resolver {
        objects: HashMap<String, Option<Object>>,
    }

    /// A program or a library with its debug information.
    struct Object {
        loader: Loader,
        /// What is added to its own addresses where it lies in memory.
        bias: u64,
    }

    impl Resolver {
        /// Returns the calls at a return address, the innermost first: more than one where calls were inlined.
        pub(in super::super) fn resolve(&mut self, address: usize) -> Vec<Call> {
            // The call lies before the address that it returns to.
            let address = (address as u64).saturating_sub(1);
            let maps = fs::read_to_string("/proc/self/maps").unwrap_or_default();
            let Some(path) = maps.lines().filter_map(Mapping::parse).find(|mapping| mapping.holds(address)) else {
                return Vec::new();
            };
            let object = self.objects.entry(path.path.to_owned()).or_insert_with(|| Object::open(path.path, &maps));
            object.as_ref().map(|object| object.calls(address)).unwrap_or_default()
        }
    }

    impl Object {
        fn open(path: &str, maps: &str) -> Option<Self> {
            let start = maps.lines().filter_map(Mapping::parse).find(|map| map.path == path && map.offset == 0)?.start;
            let bias = if has_fixed_address(path) { 0 } else { start };
            Loader::new(path).ok().map(|loader| Self { loader, bias })
        }

        fn calls(&self, address: u64) -> Vec<Call> {
            let probe = address - self.bias;
            let symbol = self.loader.find_symbol(probe).map(demangle);
            let mut calls = self.inlined(probe);
            match (calls.last_mut(), symbol) {
                // The symbol table knows the whole path; what debug information is left often knows the last word only.
                (Some(outermost), Some(symbol)) => outermost.function = symbol,
                (None, Some(function)) => calls.push(Call { function, path: String::new(), line: 0, column: None }),
                _ => {}
            }
            calls.retain(|call| !call.function.is_empty());
            calls
        }

        fn inlined(&self, probe: u64) -> Vec<Call> {
            let mut calls = Vec::new();
            let Ok(mut frames) = self.loader.find_frames(probe) else { return calls };
            while let Ok(Some(frame)) = frames.next() {
                let name = frame.function.as_ref().and_then(|function| function.raw_name().ok());
                let location = frame.location.as_ref();
                calls.push(Call {
                    function: name.map(|name| demangle(&name)).unwrap_or_default(),
                    path: location.and_then(|location| location.file).unwrap_or_default().to_owned(),
                    line: location.and_then(|location| location.line).unwrap_or(0),
                    column: location.and_then(|location| location.column),
                });
            }
            calls
        }
    }

    /// The alternate form leaves out the hash that the compiler appends.
    fn demangle(name: &str) -> String {
        format!("{:#}", rustc_demangle::demangle(name))
    }

    /// Returns whether a file is an ELF executable that lies where it was linked to: `e_type` is `ET_EXEC`.
    fn has_fixed_address(path: &str) -> bool {
        const ET_EXEC: u8 = 2;
        let mut header = [0; 18];
        File::open(path).and_then(|mut file| file.read_exact(&mut header)).is_ok() && header[16] == ET_EXEC
    }

    /// One line of `/proc/self/maps`: `start-end permissions offset device inode path`, see `proc_pid_maps(5)`.
    struct Mapping<'a> {
        start: u64,
        end: u64,
        offset: u64,
        path: &'a str,
    }

    impl<'a> Mapping<'a> {
        fn parse(line: &'a str) -> Option<Self> {
            let mut words = line.split_ascii_whitespace();
            let (start, end) = words.next()?.split_once('-')?;
            let offset = words.nth(1)?;
            let path = line.find('/').map(|at| &line[at..])?;
            let number = |text| u64::from_str_radix(text, 16).ok();
            Some(Self { start: number(start)?, end: number(end)?, offset: number(offset)?, path })
        }

        fn holds(&self, address: u64) -> bool {
            (self.start..self.end).contains(&address)
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod portable {
    use std::ffi::c_void;

    use super::Call;

    /// Asks the system.
    #[derive(Default)]
    pub(in super::super) struct Resolver;

    impl Resolver {
        /// Returns the calls at a return address, the innermost first: more than one where calls were inlined.
        pub(in super::super) fn resolve(&mut self, address: usize) -> Vec<Call> {
            let mut calls = Vec::new();
            backtrace::resolve(address as *mut c_void, |symbol| calls.extend(call(symbol)));
            calls
        }
    }

    fn call(symbol: &backtrace::Symbol) -> Option<Call> {
        Some(Call {
            // The alternate form leaves out the hash that the compiler appends.
            function: format!("{:#}", symbol.name()?),
            path: symbol.filename().map(|path| path.to_string_lossy().into_owned()).unwrap_or_default(),
            line: symbol.lineno().unwrap_or(0),
            column: symbol.colno(),
        })
    }
}
