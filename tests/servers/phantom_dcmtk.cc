// phantom: makes CT studies of the Shepp-Logan head, for the demonstration, tests and benchmarks.
// No patient is in them. The same options give the same bytes. SPDX-License-Identifier: MIT

#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dctk.h>

#include <cerrno>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <getopt.h>
#include <string>
#include <sys/stat.h>
#include <vector>

namespace
{

struct Options {
    unsigned studies = 1, series = 2, instances = 6, rows = 64, seed = 1;
    std::string patient = "PHANTOM", out;
};

// One ellipsoid of the head: density added inside, half axes, centre, and tilt in degrees.
struct Ellipse {
    double density, a, b, x, y, tilt;
};

// L. A. Shepp and B. F. Logan, IEEE Trans. Nucl. Sci. 21(3), 1974, with the stronger contrast that
// is usual for display.
const Ellipse head[] = {
    {1.0, 0.69, 0.92, 0.0, 0.0, 0.0},      {-0.8, 0.6624, 0.874, 0.0, -0.0184, 0.0},
    {-0.2, 0.11, 0.31, 0.22, 0.0, -18.0},  {-0.2, 0.16, 0.41, -0.22, 0.0, 18.0},
    {0.1, 0.21, 0.25, 0.0, 0.35, 0.0},     {0.1, 0.046, 0.046, 0.0, 0.1, 0.0},
    {0.1, 0.046, 0.046, 0.0, -0.1, 0.0},   {0.1, 0.046, 0.023, -0.08, -0.605, 0.0},
    {0.1, 0.023, 0.023, 0.0, -0.606, 0.0}, {0.1, 0.023, 0.046, 0.06, -0.605, 0.0},
};

// splitmix64: spreads a counter over all 64 bits.
uint64_t mix(uint64_t n)
{
    n += UINT64_C(0x9e3779b97f4a7c15);
    n = (n ^ (n >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    n = (n ^ (n >> 27)) * UINT64_C(0x94d049bb133111eb);
    return n ^ (n >> 31);
}

uint64_t mix(uint64_t seed, uint64_t a, uint64_t b, uint64_t c)
{
    return mix(mix(mix(mix(seed) ^ a) ^ b) ^ c);
}

// A UID made of a UUID of version 4 written as one decimal number [PS3.5 B.2]. Numbers start at 1;
// 0 stands for "the level above", so that study, series and instance never share one.
std::string uid(const Options &options, unsigned study, unsigned series, unsigned instance)
{
    uint64_t high = mix(options.seed, study, series, instance);
    uint64_t low = mix(high);
    high = (high & ~UINT64_C(0xf000)) | UINT64_C(0x4000);
    low = (low & ~(UINT64_C(3) << 62)) | (UINT64_C(1) << 63);
    unsigned __int128 number = (static_cast<unsigned __int128>(high) << 64) | low;
    std::string digits;
    for (; number != 0; number /= 10) {
        digits.insert(digits.begin(), static_cast<char>('0' + static_cast<int>(number % 10)));
    }
    return "2.25." + digits;
}

// Hounsfield units of a slice at height z (-1 to 1), with noise so that no two slices are alike.
std::vector<Uint16> draw(unsigned rows, double z, uint64_t noise)
{
    std::vector<double> density(static_cast<size_t>(rows) * rows, 0.0);
    double shrink = std::sqrt(1.0 - z * z);
    for (const Ellipse &e : head) {
        double angle = e.tilt * M_PI / 180.0, c = std::cos(angle), s = std::sin(angle);
        for (unsigned j = 0; j < rows; j++) {
            for (unsigned i = 0; i < rows; i++) {
                double x = (2.0 * i + 1.0) / rows - 1.0 - e.x,
                       y = 1.0 - (2.0 * j + 1.0) / rows - e.y;
                double u = (x * c + y * s) / (e.a * shrink), v = (y * c - x * s) / (e.b * shrink);
                if (u * u + v * v <= 1.0) density[static_cast<size_t>(j) * rows + i] += e.density;
            }
        }
    }
    std::vector<Uint16> pixels(density.size());
    for (size_t i = 0; i < pixels.size(); i++) {
        noise = noise * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        double stored = 1000.0 * density[i] + static_cast<double>(noise >> 60);
        pixels[i] = static_cast<Uint16>(stored < 0 ? 0 : stored);
    }
    return pixels;
}

// A decimal string [PS3.5 6.2].
std::string decimal(double value)
{
    char text[17];
    std::snprintf(text, sizeof text, "%.6g", value);
    return text;
}

std::string padded(unsigned value, int width)
{
    char text[16];
    std::snprintf(text, sizeof text, "%0*u", width, value);
    return text;
}

OFCondition put(DcmDataset *set, const DcmTagKey &key, const std::string &value)
{
    return set->putAndInsertString(key, value.c_str());
}

// One study a day from the first of January 2024; a month is taken as 28 days long.
std::string study_date(unsigned study)
{
    unsigned day = study - 1;
    return padded(2024 + day / 336, 4) + padded(day / 28 % 12 + 1, 2) + padded(day % 28 + 1, 2);
}

void fill_study(DcmDataset *set, const Options &options, unsigned study)
{
    put(set, DCM_SpecificCharacterSet, "ISO_IR 100");
    put(set, DCM_StudyInstanceUID, uid(options, study, 0, 0));
    put(set, DCM_StudyDate, study_date(study));
    put(set, DCM_StudyTime, "093000");
    put(set, DCM_AccessionNumber, "ACC" + std::to_string(1000 + study));
    put(set, DCM_StudyID, std::to_string(study));
    put(set, DCM_StudyDescription, "Phantom head " + std::to_string(study));
    put(set, DCM_ReferringPhysicianName, "");
    put(set, DCM_PatientName, "Phantom^Shepp Logan");
    put(set, DCM_PatientID, options.patient);
    put(set, DCM_PatientBirthDate, "19740601");
    put(set, DCM_PatientSex, "O");
}

void fill_series(DcmDataset *set, const Options &options, unsigned study, unsigned series)
{
    put(set, DCM_Modality, "CT");
    put(set, DCM_Manufacturer, "trolley");
    put(set, DCM_SeriesInstanceUID, uid(options, study, series, 0));
    put(set, DCM_SeriesNumber, std::to_string(series));
    put(set, DCM_SeriesDescription, "Axial " + std::to_string(series));
    put(set, DCM_FrameOfReferenceUID, uid(options, study, 0, 1));
    put(set, DCM_PositionReferenceIndicator, "");
    put(set, DCM_PatientPosition, "HFS");
    put(set, DCM_KVP, "120");
}

void fill_image(DcmDataset *set, const Options &options, unsigned study, unsigned series,
                unsigned instance)
{
    double z = 1.6 * (instance - 0.5) / options.instances - 0.8;
    std::string spacing = decimal(200.0 / options.rows);
    put(set, DCM_SOPClassUID, UID_CTImageStorage);
    put(set, DCM_SOPInstanceUID, uid(options, study, series, instance));
    put(set, DCM_ImageType, "DERIVED\\SECONDARY\\AXIAL");
    put(set, DCM_AcquisitionNumber, "1");
    put(set, DCM_InstanceNumber, std::to_string(instance));
    put(set, DCM_ImagePositionPatient, "-100\\-100\\" + decimal(100.0 * z));
    put(set, DCM_ImageOrientationPatient, "1\\0\\0\\0\\1\\0");
    put(set, DCM_PixelSpacing, spacing + "\\" + spacing);
    put(set, DCM_SliceThickness, decimal(160.0 / options.instances));
    put(set, DCM_RescaleIntercept, "-1000");
    put(set, DCM_RescaleSlope, "1");
    put(set, DCM_PhotometricInterpretation, "MONOCHROME2");
    set->putAndInsertUint16(DCM_SamplesPerPixel, 1);
    set->putAndInsertUint16(DCM_Rows, static_cast<Uint16>(options.rows));
    set->putAndInsertUint16(DCM_Columns, static_cast<Uint16>(options.rows));
    set->putAndInsertUint16(DCM_BitsAllocated, 16);
    set->putAndInsertUint16(DCM_BitsStored, 12);
    set->putAndInsertUint16(DCM_HighBit, 11);
    set->putAndInsertUint16(DCM_PixelRepresentation, 0);
    std::vector<Uint16> pixels = draw(options.rows, z, mix(options.seed, study, series, instance));
    set->putAndInsertUint16Array(DCM_PixelData, pixels.data(), pixels.size());
}

// mkdir that is content with what is there.
bool folder(const std::string &path)
{
    return mkdir(path.c_str(), 0755) == 0 || errno == EEXIST;
}

bool write_instance(const Options &options, unsigned study, unsigned series, unsigned instance)
{
    std::string place = options.out + "/" + std::to_string(study);
    if (!folder(options.out) || !folder(place)) return false;
    place += "/" + std::to_string(series);
    if (!folder(place)) return false;
    place += "/" + padded(instance, 6) + ".dcm";

    DcmFileFormat file;
    fill_study(file.getDataset(), options, study);
    fill_series(file.getDataset(), options, study, series);
    fill_image(file.getDataset(), options, study, series, instance);
    OFCondition result = file.saveFile(place.c_str(), EXS_LittleEndianExplicit);
    if (result.good()) return true;
    std::fprintf(stderr, "phantom: %s: %s\n", place.c_str(), result.text());
    return false;
}

bool number(const char *text, unsigned low, unsigned high, unsigned *value)
{
    char *end = nullptr;
    errno = 0;
    unsigned long n = std::strtoul(text, &end, 10);
    if (errno || end == text || *end || n < low || n > high) return false;
    *value = static_cast<unsigned>(n);
    return true;
}

// Rows and columns of a square image with that many bytes of pixel data at least.
bool bytes(const char *text, unsigned *rows)
{
    unsigned n = 0;
    if (!number(text, 2, 2000000000u, &n)) return false;
    *rows = static_cast<unsigned>(std::ceil(std::sqrt(n / 2.0)));
    return true;
}

bool set_option(int letter, const char *text, Options *options)
{
    switch (letter) {
    case 's':
        return number(text, 1, 100000, &options->studies);
    case 'e':
        return number(text, 1, 10000, &options->series);
    case 'i':
        return number(text, 1, 999999, &options->instances);
    case 'r':
        return number(text, 1, 32768, &options->rows);
    case 'b':
        return bytes(text, &options->rows);
    case 'd':
        return number(text, 0, 4294967295u, &options->seed);
    case 'p':
        options->patient = text;
        return options->patient.size() <= 64;
    case 'o':
        options->out = text;
        return !options->out.empty();
    default:
        return false;
    }
}

bool parse(int argc, char **argv, Options *options)
{
    const option table[] = {
        {"studies", required_argument, nullptr, 's'},
        {"series", required_argument, nullptr, 'e'},
        {"instances", required_argument, nullptr, 'i'},
        {"rows", required_argument, nullptr, 'r'},
        {"bytes", required_argument, nullptr, 'b'},
        {"seed", required_argument, nullptr, 'd'},
        {"patient", required_argument, nullptr, 'p'},
        {"out", required_argument, nullptr, 'o'},
        {nullptr, 0, nullptr, 0},
    };
    for (int letter; (letter = getopt_long(argc, argv, "", table, nullptr)) != -1;) {
        if (!set_option(letter, optarg, options)) return false;
    }
    return optind == argc && !options->out.empty();
}

} // namespace

int main(int argc, char **argv)
{
    Options options;
    if (!parse(argc, argv, &options)) {
        std::fprintf(stderr, "usage: phantom --out DIR [--studies N] [--series N] [--instances N]\n"
                             "               [--rows N | --bytes N] [--patient ID] [--seed N]\n"
                             "Each series has N instances of ROWS x ROWS pixels of 2 bytes.\n");
        return 2;
    }
    for (unsigned study = 1; study <= options.studies; study++) {
        for (unsigned series = 1; series <= options.series; series++) {
            for (unsigned instance = 1; instance <= options.instances; instance++) {
                if (!write_instance(options, study, series, instance)) {
                    std::fprintf(stderr, "phantom: cannot write below %s\n", options.out.c_str());
                    return 1;
                }
            }
        }
    }
    return 0;
}
