// The two files of the data folder that hold secrets: identity.key (the pepper) and admin-token.
// Each is made at first start, durably and with mode 0600.
#pragma once

#include <string>

#include "base/result.h"
#include "crypto/digest.h"
#include "identity/core/directory.h"
#include "runtime/disk.h"
#include "runtime/random.h"

namespace weft::identity {

// FailedPrecondition when the file is there but not what we wrote.
Task<Result<crypto::HmacKey>> read_or_make_pepper(FileSystem& files, Random& random,
                                                  std::string path);
Task<Result<std::string>> read_or_make_admin_token(FileSystem& files, Random& random,
                                                   std::string path);

// The hashes of the stored keys, for starts without the database. Layout: docs/formats/api-keys.md.
Task<Result<>> write_stored_keys(FileSystem& files, std::string path,
                                 std::map<std::string, StoredKey> keys);
// NotFound without the file, DataLoss when it is damaged.
Task<Result<std::map<std::string, StoredKey>>> read_stored_keys(FileSystem& files,
                                                                std::string path);

}  // namespace weft::identity
