//! Looks up the calls at an address in the debug information.
//!
//! In the `backtrace` crate, capturing a stack and symbolising it take the same process-wide lock. A worker that reads
//! debug information for half a second would block each request that fails meanwhile. Linux shows the file of each
//! address, and so the worker there reads that file without `backtrace`.

/// One call at an address.
pub(super) struct Call {
    /// The function with its path, without the compiler's hash.
    pub(super) function: String,
    /// The source file, or an empty string.
    pub(super) path: String,
    /// The line, from 1, or 0 if it is unknown.
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

    /// Reads the program and its libraries, each file once.
    #[derive(Default)]
    pub(in super::super) struct Resolver {
        objects: HashMap<String, Option<Object>>,
    }

    /// A program or a library with its debug information.
    struct Object {
        loader: Loader,
        /// The difference between its addresses in memory and those in the file.
        bias: u64,
    }

    impl Resolver {
        /// Returns the calls at a return address, the innermost first. There are several if calls were inlined.
        pub(in super::super) fn resolve(&mut self, address: usize) -> Vec<Call> {
            // The call instruction is before the address that it returns to.
            let address = (address as u64).saturating_sub(1);
            let maps = fs::read_to_string("/proc/self/maps").unwrap_or_default();
            let Some(mapping) = maps.lines().filter_map(Mapping::parse).find(|mapping| mapping.holds(address)) else {
                return Vec::new();
            };
            let object =
                self.objects.entry(mapping.path.to_owned()).or_insert_with(|| Object::open(mapping.path, &maps));
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
                // The symbol table has the whole path. Reduced debug information often has the last word only.
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

    /// Demangles a name in the alternate form, which omits the compiler's hash.
    fn demangle(name: &str) -> String {
        format!("{:#}", rustc_demangle::demangle(name))
    }

    /// Returns whether a file is an ELF executable with a fixed address in memory: `e_type` is `ET_EXEC`.
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

    /// Looks up calls by the `backtrace` crate.
    #[derive(Default)]
    pub(in super::super) struct Resolver;

    impl Resolver {
        /// Returns the calls at a return address, the innermost first. There are several if calls were inlined.
        pub(in super::super) fn resolve(&mut self, address: usize) -> Vec<Call> {
            let mut calls = Vec::new();
            backtrace::resolve(address as *mut c_void, |symbol| calls.extend(call(symbol)));
            calls
        }
    }

    fn call(symbol: &backtrace::Symbol) -> Option<Call> {
        Some(Call {
            // The alternate form omits the compiler's hash.
            function: format!("{:#}", symbol.name()?),
            path: symbol.filename().map(|path| path.to_string_lossy().into_owned()).unwrap_or_default(),
            line: symbol.lineno().unwrap_or(0),
            column: symbol.colno(),
        })
    }
}
